//! The page of codes, and the text about a single one.

use crate::diagnostic::{Code, codes};
use crate::guidance;

/// The hundreds of the numbers.
const FAMILIES: &[(&str, &str)] = &[
    ("PLX01", "Reading files"),
    ("PLX02", "Fields and values"),
    ("PLX03", "Inputs, outputs and params"),
    ("PLX04", "Searches and dags"),
    ("PLX05", "References between documents"),
    ("PLX06", "Rules of single sections"),
    ("PLX07", "The command line"),
    ("PLX08", "Templates and resolution"),
    ("PLX09", "This version"),
];

pub(super) fn documentation() -> String {
    let mut text = String::from(
        "# Codes of messages\n\n\
         Every finding of `polyaxon check` has a code that never changes its meaning. `polyaxon explain CODE` prints what\n\
         stands here. A warning does not stop a run; with `polyaxon check --strict` it counts as an error.\n",
    );
    for (prefix, title) in FAMILIES {
        text.push_str(&format!("\n## {title}\n"));
        for code in codes::ALL.iter().filter(|code| code.id.starts_with(prefix)) {
            text.push_str(&format!("\n### {} {}\n\n{}", code.id, code.class, code_page(*code, "```yaml\n", "```\n")));
        }
    }
    text
}

/// Meaning, advice and examples of a code. The fences stand around examples.
pub fn code_page(code: Code, open: &str, close: &str) -> String {
    let mut text = format!("{}\n", code.meaning);
    let Some(guidance) = guidance::of(code) else { return text };
    text.push_str(&format!("\n{}\n", guidance.advice));
    if !guidance.wrong.is_empty() {
        text.push_str(&format!("\nWrong:\n\n{open}{}{close}", guidance.wrong));
    }
    if !guidance.right.is_empty() {
        text.push_str(&format!("\nRight:\n\n{open}{}{close}", guidance.right));
    }
    text
}
