//! `polyaxon compile`: what a polyaxonfile becomes, stage by stage, and where its values come from.

use polyaxon_compile::connection::Connection;
use polyaxon_compile::context::{Agent, RunContext};
use polyaxon_compile::resolve;
use polyaxon_spec::check::Outcome;
use polyaxon_spec::diagnostic::Diagnostic;
use polyaxon_spec::node::Node;
use polyaxon_spec::span::Sources;
use polyaxon_spec::yaml;
use serde_json::json;

use crate::args::global::OutputFormat;
use crate::args::tools::{CompileArgs, Stage};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Human, Output, Stream};
use crate::report;
use crate::session::Context;
use crate::settings::Settings;
use crate::source::loader::WorldLoader;
use crate::source::origin::Origins;
use crate::source::read;

pub(crate) fn run(context: &Context, args: &CompileArgs) -> Result<Exit, Failure> {
    let mut request = read::request(&args.source)?;
    read::add_inline(&mut request, &args.inline);
    read::add_matrix(&mut request, &args.matrix);
    let mut loader = WorldLoader::default();
    let mut outcome = read::understand(&request, &mut loader);
    if read::has_errors(&outcome) {
        return Err(invalid(outcome.sources, outcome.diagnostics));
    }
    let diagnostics = std::mem::take(&mut outcome.diagnostics);
    let is_data = args.format.output.is_json();
    if !diagnostics.is_empty() && !is_data {
        let coloured = context.printer.style(Stream::Error).is_coloured();
        context.printer.note(&report::render(&outcome.sources, &diagnostics, coloured));
    }
    let result = match result(&outcome, args.stage) {
        Ok(result) => result,
        Err(diagnostics) => return Err(invalid(outcome.sources, diagnostics)),
    };
    let presets = loader.files.iter().filter(|(name, _)| request.files.iter().skip(1).any(|file| is_same(file, name)));
    let origins = Origins::new(&outcome.sources, presets.map(|(name, _)| name.clone()).collect(), &result);
    let (text, json) = if args.origin {
        let text = yaml::emit_with_notes(&result, &mut |node| Some(origins.note(node)));
        (text, json!({"operation": result.to_json(), "origins": origins.list(&result)}))
    } else {
        (yaml::emit(&result), result.to_json())
    };
    let name = result.get("name").and_then(Node::as_str).map(str::to_owned);
    let output = Output { json, human: Human::Text(text.trim_end().to_owned()), names: name.into_iter().collect() };
    match args.format.output {
        // The text has comments, which data has not.
        OutputFormat::Yaml => context.printer.line(text.trim_end())?,
        ref format => context.printer.data(&output, format)?,
    }
    Ok(Exit::Ok)
}

/// Whether a file that was asked for is one that messages call `name`.
fn is_same(file: &str, name: &str) -> bool {
    file.trim_start_matches("./") == name
}

fn invalid(sources: Sources, diagnostics: Vec<Diagnostic>) -> Failure {
    let failure = Failure::invalid(sources, diagnostics);
    Failure { message: failure.message.replace(", nothing was run", ""), ..failure }
}

fn result(outcome: &Outcome, stage: Stage) -> Result<Node, Vec<Diagnostic>> {
    let (Some(operation), Some(compiled)) = (&outcome.operation, &outcome.compiled) else { return Err(Vec::new()) };
    match stage {
        Stage::Operation => Ok(operation.clone()),
        Stage::Compiled => Ok(compiled.operation.clone()),
        Stage::Resolved => resolve::resolve(&compiled.operation, &compiled.params, &run_context(&compiled.operation))
            .map(|resolved| resolved.operation),
    }
}

/// A run that does not exist: what only the server knows has a form that nobody takes for real.
fn run_context(compiled: &Node) -> RunContext {
    let settings = Settings::read().ok();
    let place = settings.as_ref().and_then(|settings| settings.place(None).ok()).map(|setting| setting.value);
    let nothing = "0".repeat(32);
    RunContext {
        owner: place.as_ref().map_or("default".to_owned(), |place| place.owner.clone()),
        project: place.map_or("default".to_owned(), |place| place.project),
        project_uuid: nothing.clone(),
        name: compiled.get("name").and_then(Node::as_str).unwrap_or("anonymous").to_owned(),
        uuid: nothing.clone(),
        path: nothing,
        is_independent: true,
        agent: Agent { store: Some(Connection::host_path("artifacts-store", "/store")), ..Agent::default() },
        ..RunContext::default()
    }
}
