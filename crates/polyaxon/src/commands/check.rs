//! `polyaxon check`: every finding of a polyaxonfile, as code frames or as data.

use polyaxon_spec::check::Outcome;
use polyaxon_spec::node::Node;
use serde_json::{Value, json};

use crate::args::check::{CheckArgs, ReportFormat};
use crate::args::global::OutputFormat;
use crate::commands::fix;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Human, Output, Stream};
use crate::report;
use crate::session::Context;
use crate::source::loader::WorldLoader;
use crate::source::read;

pub(crate) fn check(context: &Context, args: &CheckArgs) -> Result<Exit, Failure> {
    let request = read::request(&args.source)?;
    if args.fix {
        fix::fix(context, &request)?;
    }
    let outcome = read::advise(&request, &mut WorldLoader::default());
    let is_valid = if args.strict { outcome.diagnostics.is_empty() } else { !read::has_errors(&outcome) };
    let exit = if is_valid { Exit::Ok } else { Exit::Usage };
    let format = &args.format.output;
    let names = outcome.operation.as_ref().map(|operation| vec![text(operation, "name")]).unwrap_or_default();
    if args.report == ReportFormat::Github {
        let lines = report::github(&outcome.sources, &outcome.diagnostics);
        lines.iter().try_for_each(|line| context.printer.line(line))?;
        context.printer.note(&if is_valid { "Polyaxonfile valid".to_owned() } else { counts(&outcome) });
        return Ok(exit);
    }
    let json_format = OutputFormat::Json;
    let format = if args.report == ReportFormat::Json { &json_format } else { format };
    if format.is_json() || matches!(format, OutputFormat::Yaml) {
        let json = json!({
            "valid": is_valid,
            "diagnostics": report::diagnostics_json(&outcome.sources, &outcome.diagnostics),
            "operation": outcome.operation.as_ref().map_or(Value::Null, Node::to_json),
        });
        context.printer.data(&Output { json, human: Human::Nothing, names }, format)?;
        return Ok(exit);
    }
    if !outcome.diagnostics.is_empty() {
        let coloured = context.printer.style(Stream::Error).is_coloured();
        context.printer.note(&report::render(&outcome.sources, &outcome.diagnostics, coloured));
    }
    if !is_valid {
        context.printer.note(&counts(&outcome));
        return Ok(exit);
    }
    let text = match &outcome.operation {
        Some(operation) if args.lint => polyaxon_spec::yaml::emit(operation).trim_end().to_owned(),
        Some(operation) if args.version => format!("Polyaxonfile valid\nversion {}", text(operation, "version")),
        _ => "Polyaxonfile valid".to_owned(),
    };
    context.printer.data(&Output { json: Value::Null, human: Human::Text(text), names }, format)?;
    Ok(exit)
}

/// `2 errors, 1 warning`
fn counts(outcome: &Outcome) -> String {
    let errors = outcome.diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    let warnings = outcome.diagnostics.len() - errors;
    let count = |number: usize, word: &str| match number {
        0 => String::new(),
        1 => format!("1 {word}"),
        _ => format!("{number} {word}s"),
    };
    let parts = [count(errors, "error"), count(warnings, "warning")];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

fn text(operation: &Node, key: &str) -> String {
    match operation.get(key) {
        Some(node) => node.as_str().map_or_else(|| node.to_json().to_string(), str::to_owned),
        None => String::new(),
    }
}
