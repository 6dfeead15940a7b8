//! A notebook as one page that can do nothing: no scripts, no requests, no forms.
//!
//! Invariant: every text of the notebook is escaped; pictures are data of the page itself, and only those of known kinds.

use std::fmt::Write;

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

/// Nothing but styles and embedded pictures, in an origin of its own.
const POLICY: HeaderValue =
    HeaderValue::from_static("sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:");

/// Larger ones are to be downloaded.
pub(crate) const MAX_BYTES: u64 = 64 << 20;

/// The page, or nothing when `text` is no notebook.
pub(crate) fn page(text: &[u8], name: &str) -> Option<Response> {
    let html = render(&serde_json::from_slice(text).ok()?, name)?;
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Some((headers, html).into_response())
}

const STYLE: &str = "body{font:15px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
pre{background:#f6f6f6;padding:.6rem;overflow-x:auto;white-space:pre-wrap}\
pre.out{background:none;border-left:3px solid #ddd}pre.error{border-left-color:#c33}\
.count{color:#888;font-size:12px}img{max-width:100%}";

fn render(notebook: &Value, name: &str) -> Option<String> {
    // Version 3 kept its cells in worksheets.
    let cells = notebook.get("cells").or_else(|| notebook.pointer("/worksheets/0/cells"))?.as_array()?;
    let mut out =
        format!("<!doctype html><meta charset=\"utf-8\"><title>{}</title><style>{STYLE}</style>", escaped(name));
    for cell in cells {
        let source = cell.get("source").or_else(|| cell.get("input")).map(text_of).unwrap_or_default();
        match cell.get("cell_type").and_then(Value::as_str) {
            Some("markdown" | "heading") => markdown(&source, &mut out),
            Some("code") => {
                let count = cell.get("execution_count").or_else(|| cell.get("prompt_number")).and_then(Value::as_u64);
                let count = count.map_or_else(String::new, |count| count.to_string());
                push(&mut out, format_args!("<div class=\"count\">[{count}]</div><pre>{}</pre>", escaped(&source)));
                for output in cell.get("outputs").and_then(Value::as_array).into_iter().flatten() {
                    show(output, &mut out);
                }
            }
            _ => push(&mut out, format_args!("<pre>{}</pre>", escaped(&source))),
        }
    }
    Some(out)
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = out.write_fmt(text);
}

fn show(output: &Value, out: &mut String) {
    let kind = output.get("output_type").and_then(Value::as_str).unwrap_or_default();
    if matches!(kind, "error" | "pyerr") {
        let lines = output.get("traceback").map(text_of).unwrap_or_default();
        push(out, format_args!("<pre class=\"out error\">{}</pre>", escaped(&plain(&lines))));
        return;
    }
    if let Some(text) = output.get("text").filter(|_| kind == "stream") {
        push(out, format_args!("<pre class=\"out\">{}</pre>", escaped(&plain(&text_of(text)))));
        return;
    }
    let data = output.get("data").unwrap_or(output);
    for (kind, old) in [("image/png", "png"), ("image/jpeg", "jpeg"), ("image/gif", "gif")] {
        if let Some(picture) = data.get(kind).or_else(|| data.get(old)).map(text_of) {
            let picture: String = picture.chars().filter(|character| !character.is_whitespace()).collect();
            let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
            if picture.bytes().all(is_base64) {
                push(out, format_args!("<img alt=\"output\" src=\"data:{kind};base64,{picture}\">"));
                return;
            }
        }
    }
    if let Some(text) = data.get("text/plain").or_else(|| data.get("text")) {
        push(out, format_args!("<pre class=\"out\">{}</pre>", escaped(&plain(&text_of(text)))));
    }
}

/// Headings, fenced code and paragraphs; the rest is shown as it was written.
fn markdown(source: &str, out: &mut String) {
    let mut paragraph = String::new();
    let mut code: Option<String> = None;
    let end = |paragraph: &mut String, out: &mut String| {
        if !paragraph.is_empty() {
            push(out, format_args!("<p>{}</p>", escaped(paragraph)));
            paragraph.clear();
        }
    };
    for line in source.lines() {
        if line.trim_start().starts_with("```") {
            end(&mut paragraph, out);
            match code.take() {
                Some(text) => push(out, format_args!("<pre>{}</pre>", escaped(&text))),
                None => code = Some(String::new()),
            }
        } else if let Some(code) = &mut code {
            code.push_str(line);
            code.push('\n');
        } else if let Some((level, title)) = heading(line) {
            end(&mut paragraph, out);
            push(out, format_args!("<h{level}>{}</h{level}>", escaped(title)));
        } else if line.trim().is_empty() {
            end(&mut paragraph, out);
        } else {
            paragraph.push_str(line);
            paragraph.push('\n');
        }
    }
    end(&mut paragraph, out);
    if let Some(text) = code {
        push(out, format_args!("<pre>{}</pre>", escaped(&text)));
    }
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let level = line.bytes().take_while(|byte| *byte == b'#').count();
    let title = line.get(level..)?.strip_prefix(' ')?;
    (1..=6).contains(&level).then_some((level, title))
}

/// Texts are strings or lists of lines.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(lines) => {
            let lines: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
            let separator = if lines.iter().any(|line| line.ends_with('\n')) { "" } else { "\n" };
            lines.join(separator)
        }
        _ => String::new(),
    }
}

/// Without the colour codes of terminals.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            if characters.next() == Some('[') {
                characters.by_ref().find(char::is_ascii_alphabetic);
            }
        } else {
            out.push(character);
        }
    }
    out
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cells_are_shown_and_nothing_of_them_acts() {
        let evil = "<script>alert(1)</script><img src=x onerror=alert(1)>";
        let notebook = json!({ "nbformat": 4, "cells": [
            { "cell_type": "markdown", "source": ["# Title\n", "text ", evil, "\n```\ncode < 1\n```\n"] },
            { "cell_type": "code", "execution_count": 3, "source": "print(1)", "outputs": [
                { "output_type": "stream", "text": ["\u{1b}[31mred\u{1b}[0m\n", evil] },
                { "output_type": "display_data", "data": { "image/png": "aGk=\n", "text/plain": "<Figure>" } },
                { "output_type": "display_data", "data": { "image/png": "\" onerror=alert(1) \"", "text/plain": "picture" } },
                { "output_type": "execute_result", "data": { "text/html": evil, "text/plain": "a  b" } },
                { "output_type": "error", "traceback": ["Traceback", evil] },
            ] },
            { "cell_type": "raw", "source": evil },
        ]});
        let html = render(&notebook, "a\"<b>.ipynb").unwrap();
        let body = html.split_once("</style>").unwrap().1;
        for part in [
            "<h1>Title</h1>",
            "<pre>code &lt; 1\n</pre>",
            "[3]",
            "<pre>print(1)</pre>",
            ">red\n&lt;script&gt;",
            "<img alt=\"output\" src=\"data:image/png;base64,aGk=\">",
            ">picture<",
            ">a  b<",
            "error\">Traceback",
        ] {
            assert!(body.contains(part), "{part}: {body}");
        }
        assert!(!body.contains("<script") && !body.contains("onerror=alert(1)>") && body.matches("<img").count() == 1);
        assert!(html.contains("<title>a&quot;&lt;b&gt;.ipynb</title>"));
        assert!(page(b"{}", "x").is_none() && page(b"no json", "x").is_none());
    }
}
