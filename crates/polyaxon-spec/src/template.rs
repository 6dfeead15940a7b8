//! What counts as a template: the rule of the official tools, which every step shares.
//!
//! Rendering is not known here; `polyaxon-compile` does it.

use std::sync::LazyLock;

use regex::Regex;

static TEMPLATE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\{\{\s*(.+)\s*\}\}").expect("the pattern is constant and valid"));

/// Whether `text` holds a template anywhere (spec, header).
///
/// This decides where a template may stand for a typed value. Text with `{%` alone is rendered too, but cannot
/// stand for a typed value.
pub fn is_template(text: &str) -> bool {
    text.contains("{{") && TEMPLATE.is_match(text)
}

/// What stands between the braces of the template in `text`, without blanks around it.
pub fn inner(text: &str) -> Option<&str> {
    TEMPLATE.captures(text).and_then(|found| found.get(1)).map(|inner| inner.as_str().trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_found_anywhere() {
        for text in
            ["{{ x }}", "a {{x}} b", "{{\n x\n}}", "{{ {} }}", "{{}}}", "{{ }}", "{{{}}", "{{ a\n}} }}", "{{ \n}}"]
        {
            assert!(is_template(text), "{text}");
        }
        for text in ["", "x", "{{}}", "{{", "}}{{", "{% if x %}", "{x}", "{{ a\nb }}", "{{\n}}"] {
            assert!(!is_template(text), "{text}");
        }
    }
}
