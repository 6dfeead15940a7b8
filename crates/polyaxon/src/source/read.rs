//! From options to a checked operation: reads the sources, lints the templates, refuses what cannot be executed yet.

use polyaxon_compile::{lint, support};
use polyaxon_spec::check::{self, Inline, Options, Outcome, Request};
use polyaxon_spec::diagnostic::{Diagnostic, Severity, codes};
use polyaxon_spec::loader::Loader;

use crate::args::run::{InlineArgs, MatrixArgs, SourceArgs};
use crate::commands::project::comma_list;
use crate::failure::Failure;
use crate::source::loader::WorldLoader;

/// The part of a request that `check` and `run` share.
pub(crate) fn request(source: &SourceArgs) -> Result<Request, Failure> {
    if source.python_module.is_some() {
        return Err(Failure::unsupported("--python-module")
            .help("write the operation to a file first: operation.to_yaml() in Python, then -f"));
    }
    let strict_params = match (source.strict_params, source.no_strict_params) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    };
    Ok(Request {
        files: source.files.clone(),
        hub: source.hub.clone(),
        url: source.url.clone(),
        params: source.params.clone(),
        options: Options { presets: source.presets.as_deref().map(comma_list), strict_params, ..Options::default() },
        ignore_template: source.ignore_template,
        ..Request::default()
    })
}

/// Adds the options that describe a container.
pub(crate) fn add_inline(request: &mut Request, inline: &InlineArgs) {
    request.sandbox = inline.sandbox;
    request.inline = Inline {
        image: inline.image.clone(),
        cmd: inline.cmd.clone(),
        env: inline.env.clone(),
        cpu: inline.cpu.clone(),
        memory: inline.memory.clone(),
        gpu: inline.gpu.clone(),
        ports: inline.port.clone(),
    };
}

/// Adds the options that describe a search.
pub(crate) fn add_matrix(request: &mut Request, matrix: &MatrixArgs) {
    let number = |number: Option<u64>| number.and_then(|number| i64::try_from(number).ok());
    request.hyper_params.clone_from(&matrix.hparams);
    request.options.matrix_kind.clone_from(&matrix.matrix_kind);
    request.options.matrix_concurrency = number(matrix.matrix_concurrency);
    request.options.matrix_num_runs = number(matrix.matrix_num_runs);
}

/// Checks a request and its templates, also of what this version cannot execute.
pub(crate) fn understand(request: &Request, loader: &mut dyn Loader) -> Outcome {
    let mut outcome = check::check(request, loader);
    add_templates(&mut outcome);
    outcome
}

/// Adds the findings about the templates of a composed operation.
pub(crate) fn add_templates(outcome: &mut Outcome) {
    if let Some(compiled) = &outcome.compiled {
        let findings = lint::lint(&compiled.operation, &compiled.params);
        outcome.diagnostics.extend(findings);
    }
}

/// As [`read`], with advice about what is valid and rarely meant.
pub(crate) fn advise(request: &Request, loader: &mut dyn Loader) -> Outcome {
    let mut outcome = understand(request, loader);
    add_advice(&mut outcome);
    outcome
}

/// Adds advice, and what this version cannot execute.
pub(crate) fn add_advice(outcome: &mut Outcome) {
    if let (Some(compiled), Some(operation)) = (&outcome.compiled, &outcome.operation) {
        let mut findings = lint::advice::advice(operation, &compiled.operation, &compiled.params);
        // What the check has said about a place is enough, and a misspelt template uses no input by mistake.
        let has_undefined = outcome.diagnostics.iter().any(|known| known.code == codes::TEMPLATE_UNDEFINED);
        findings.retain(|finding| {
            let is_known = |known: &Diagnostic| known.code == finding.code && known.path == finding.path;
            let is_consequence = has_undefined && finding.code == codes::UNUSED_INPUT;
            !is_consequence && !outcome.diagnostics.iter().any(is_known)
        });
        // The file is right; it is `run` that has to refuse it.
        let later = support::unsupported(&compiled.operation);
        findings.extend(later.map(|finding| Diagnostic { severity: Severity::Warning, ..finding }));
        outcome.diagnostics.extend(findings);
    }
}

/// Checks a request with everything that is known here; findings of all steps are in the outcome, in order.
pub(crate) fn read(request: &Request, project: Option<&str>) -> Outcome {
    let mut loader = WorldLoader { project: project.map(str::to_owned), ..WorldLoader::default() };
    let mut outcome = understand(request, &mut loader);
    if let Some(compiled) = &outcome.compiled {
        outcome.diagnostics.extend(support::unsupported(&compiled.operation));
    }
    outcome
}

/// The findings that stop a run.
pub(crate) fn has_errors(outcome: &Outcome) -> bool {
    outcome.diagnostics.iter().any(Diagnostic::is_error)
}
