//! `polyaxon explain`: what a field of the language, or a code in a message, means; runs are explained by `ops`.

use polyaxon_spec::diagnostic::{Code, codes};
use polyaxon_spec::guidance;
use polyaxon_spec::reference::{self, Explanation, Inner};
use serde_json::json;

use crate::args::tools::ExplainArgs;
use crate::commands::ops;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::style::Style;
use crate::output::{Human, Output, Stream};
use crate::session::Context;
use crate::suggest::nearest;

/// Names on one line before it is broken.
const WIDTH: usize = 100;

pub(crate) fn run(context: &Context, args: &ExplainArgs) -> Result<Exit, Failure> {
    if let Some(run) = args.run() {
        return ops::explain(context, &run, &args.format.output);
    }
    let output = match args.subject.as_deref() {
        None => every_code(),
        Some(subject) if is_code(subject) => code(subject)?,
        Some(subject) => field(subject, context.printer.style(Stream::Data))?,
    };
    context.printer.data(&output, &args.format.output)?;
    Ok(Exit::Ok)
}

/// Codes are numbers, with or without letters before them; no field looks like that.
fn is_code(subject: &str) -> bool {
    let digits = subject.to_ascii_uppercase();
    let digits = digits.trim_start_matches("PLX");
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn every_code() -> Output {
    let line = |code: &Code| format!("{}  {:<22} {}", code.id, code.class, code.meaning);
    Output {
        json: codes::ALL
            .iter()
            .map(|code| json!({"code": code.id, "class": code.class, "meaning": code.meaning}))
            .collect(),
        human: Human::Text(codes::ALL.iter().map(line).collect::<Vec<_>>().join("\n")),
        names: codes::ALL.iter().map(|code| code.id.to_owned()).collect(),
    }
}

fn code(subject: &str) -> Result<Output, Failure> {
    let id = normalised(subject);
    let Some(code) = codes::ALL.iter().find(|code| code.id == id) else {
        let near = nearest(&id, codes::ALL.iter().map(|code| code.id));
        let failure = Failure::new(format!("there is no code `{subject}`")).exit(Exit::NotFound);
        return Err(match near {
            Some(near) => failure.help(format!("did you mean {near}? `polyaxon explain --all` lists every code")),
            None => failure.help("`polyaxon explain --all` lists every code"),
        });
    };
    let advice = guidance::of(*code);
    let json = json!({
        "code": code.id,
        "class": code.class,
        "meaning": code.meaning,
        "advice": advice.map(|advice| advice.advice),
        "wrong": advice.map(|advice| advice.wrong).filter(|text| !text.is_empty()),
        "right": advice.map(|advice| advice.right).filter(|text| !text.is_empty()),
    });
    let text = format!("{} {}\n\n{}", code.id, code.class, reference::code_page(*code, "", ""));
    Ok(Output { json, human: Human::Text(text.trim_end().to_owned()), names: vec![code.id.to_owned()] })
}

/// `plx202`, `PLX0202` and `202` mean the same.
fn normalised(text: &str) -> String {
    let upper = text.to_ascii_uppercase();
    match upper.trim_start_matches("PLX").parse::<u32>() {
        Ok(number) => format!("PLX{number:04}"),
        Err(_) => upper,
    }
}

fn field(path: &str, style: &Style) -> Result<Output, Failure> {
    let found = reference::explain(path);
    let similar = if found.is_some() { Vec::new() } else { reference::similar(path) };
    // A name that only one place has needs no path.
    let found = match similar.as_slice() {
        [only] if only.ends_with(&format!(".{path}")) => reference::explain(only),
        _ => found,
    };
    let Some(explanation) = found else {
        let failure = Failure::new(format!("there is no field `{path}`")).exit(Exit::NotFound);
        return Err(match similar.as_slice() {
            [] if path.contains('.') => {
                failure.help("a path starts at the root of a document: `polyaxon explain run.job.container`")
            }
            [] => failure.help(format!("a run of this name is explained by: polyaxon explain --uid {path}")),
            [only] => failure.help(format!("did you mean `{only}`?")),
            several => failure.help(format!("fields of this or a similar name: {}", several.join(", "))),
        });
    };
    Ok(Output {
        json: explanation.to_json(),
        human: Human::Text(text(&explanation, style)),
        names: vec![explanation.path.clone()],
    })
}

fn text(explanation: &Explanation, style: &Style) -> String {
    let path = if explanation.path.is_empty() { "polyaxonfile" } else { &explanation.path };
    let mut text = format!("{}\n  {}", style.bold(path), explanation.ty);
    if explanation.template {
        text.push_str(", or a template");
    }
    if explanation.required {
        text.push_str("; required");
    }
    if let Some(default) = explanation.default {
        text.push_str(&format!("; default {default}"));
    }
    text.push_str(&format!("\n\n{}\n", explanation.meaning));
    if explanation.allowed.len() > 1 {
        text.push_str(&format!("\nAllowed:\n{}", wrapped(&explanation.allowed)));
    }
    if let Some(example) = &explanation.example {
        text.push_str(&format!("\nExample:\n  {example}\n"));
    }
    match &explanation.inner {
        Inner::Nothing => {}
        Inner::Fields(fields) => {
            let rows = fields.iter().map(|(name, ty, doc)| (*name, format!("{doc} ({ty})")));
            text.push_str(&format!("\nFields:\n{}", listed(rows)));
        }
        Inner::Kinds(kinds) => {
            let rows = kinds.iter().map(|(kind, doc)| (*kind, (*doc).to_owned()));
            text.push_str(&format!("\nKinds:\n{}", listed(rows)));
        }
        Inner::Keys(keys) => text.push_str(&format!("\nFields, as in the Kubernetes API:\n{}", wrapped(keys))),
    }
    if !explanation.related.is_empty() {
        let related: Vec<&str> = explanation.related.iter().map(String::as_str).collect();
        text.push_str(&format!("\nOf the same name:\n{}", wrapped(&related)));
    }
    text.trim_end().to_owned()
}

/// Two columns.
fn listed<'a>(rows: impl Iterator<Item = (&'a str, String)> + Clone) -> String {
    let width = rows.clone().map(|(name, _)| name.len()).max().unwrap_or_default();
    let lines: Vec<String> = rows.map(|(name, doc)| format!("  {name:<width$}  {doc}")).collect();
    lines.join("\n") + "\n"
}

/// Words side by side.
fn wrapped(words: &[&str]) -> String {
    let mut lines = vec![String::new()];
    for word in words {
        let line = lines.last_mut().filter(|line| line.len() + word.len() < WIDTH);
        match line {
            Some(line) => line.push_str(&format!("  {word}")),
            None => lines.push(format!("  {word}")),
        }
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_may_be_written_short() {
        for text in ["PLX0202", "plx0202", "202", "plx202"] {
            assert!(is_code(text));
            assert_eq!(normalised(text), "PLX0202");
        }
        for text in ["run", "plxes", "inputs.0"] {
            assert!(!is_code(text), "{text}");
        }
    }
}
