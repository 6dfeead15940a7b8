//! From options to a checked operation: reads the sources, lints the templates, refuses what cannot be executed yet.

use polyaxon_compile::{lint, support};
use polyaxon_spec::check::{self, Options, Outcome, Request};
use polyaxon_spec::diagnostic::Diagnostic;

use crate::args::run::SourceArgs;
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

/// Checks a request with everything that is known here; findings of all steps are in the outcome, in order.
pub(crate) fn read(request: &Request, project: Option<&str>) -> Outcome {
    let mut loader = WorldLoader { project: project.map(str::to_owned) };
    let mut outcome = check::check(request, &mut loader);
    if let Some(compiled) = &outcome.compiled {
        let mut findings = lint::lint(&compiled.operation, &compiled.params);
        findings.extend(support::unsupported(&compiled.operation));
        outcome.diagnostics.extend(findings);
    }
    outcome
}

/// The findings that stop a run.
pub(crate) fn has_errors(outcome: &Outcome) -> bool {
    outcome.diagnostics.iter().any(Diagnostic::is_error)
}
