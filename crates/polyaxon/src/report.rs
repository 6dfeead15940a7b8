//! Errors for people and for programs: code frames in the terminal, the same findings as JSON.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use polyaxon_spec::diagnostic::{Diagnostic, Severity};
use polyaxon_spec::span::{SourceId, Sources, Span};
use serde_json::{Value, json};

use crate::args::global::OutputFormat;
use crate::exit::Exit;
use crate::failure::{Failure, RefusedRequest};
use crate::output::{Printer, Stream, plain_error};

/// Lines of text around an underlined place that are handed to the renderer; whole files may be megabytes.
const CONTEXT_LINES: usize = 3;
/// Longer lines are cut around the place.
const LONGEST_LINE: usize = 2_000;

/// Prints a failure on stderr and returns its exit code.
pub(crate) fn failure(printer: &Printer, format: &OutputFormat, failure: &Failure) -> Exit {
    if format.is_json() {
        printer.error(&serde_json::to_string_pretty(&failure_json(failure)).unwrap_or_default());
        return failure.exit;
    }
    if let Some(findings) = &failure.findings {
        let (sources, diagnostics) = &**findings;
        printer.error(&render(sources, diagnostics, printer.style(Stream::Error).is_coloured()));
    }
    let paint = printer.style(Stream::Error);
    printer.error(&format!("{} {}", paint.error("error:"), failure.message));
    for cause in &failure.causes {
        printer.error(&format!("  caused by: {cause}"));
    }
    if let Some(RefusedRequest { method, url, status }) = failure.request.as_deref() {
        printer.error(&format!("  request: {method} {url} answered {status}"));
    }
    if let Some(help) = &failure.help {
        printer.error(&format!("{} {help}", paint.help("help:")));
    }
    failure.exit
}

/// A panic is a fault of the program: say so, and what helps to mend it.
pub(crate) fn explain_panics() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        default(panic);
        plain_error(&format!(
            "this is a fault of polyaxon {}, not of your files; please report it with the lines above",
            env!("CARGO_PKG_VERSION")
        ));
    }));
}

fn failure_json(failure: &Failure) -> Value {
    let mut error = json!({ "code": failure.exit.code(), "message": failure.message });
    if !failure.causes.is_empty() {
        error["causes"] = failure.causes.clone().into();
    }
    if let Some(help) = &failure.help {
        error["hint"] = help.as_str().into();
    }
    if let Some(RefusedRequest { method, url, status }) = failure.request.as_deref() {
        error["request"] = json!({ "method": method, "url": url, "status": status });
    }
    if let Some(findings) = &failure.findings {
        error["diagnostics"] = diagnostics_json(&findings.0, &findings.1);
    }
    json!({ "error": error })
}

/// One workflow command of GitHub Actions for each finding; the page shows it beside the line.
pub(crate) fn github(sources: &Sources, diagnostics: &[Diagnostic]) -> Vec<String> {
    let escaped = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| escaped(text).replace(':', "%3A").replace(',', "%2C");
    diagnostics
        .iter()
        .map(|diagnostic| {
            let command = match diagnostic.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            let place = sources.get(diagnostic.span.source).zip(sources.line_column(diagnostic.span));
            let place = place.map_or(String::new(), |(source, (line, column))| {
                format!("file={},line={line},col={column},", property(&source.name))
            });
            let mut message = diagnostic.message.clone();
            if !diagnostic.label.is_empty() {
                message.push_str(&format!(" ({})", diagnostic.label));
            }
            if let Some(help) = &diagnostic.help {
                message.push_str(&format!("\nhelp: {help}"));
            }
            format!("::{command} {place}title={}::{}", diagnostic.code.id, escaped(&message))
        })
        .collect()
}

/// The findings as data: stable codes, one-based lines and columns.
pub(crate) fn diagnostics_json(sources: &Sources, diagnostics: &[Diagnostic]) -> Value {
    diagnostics
        .iter()
        .map(|diagnostic| {
            let mut spans = vec![span_json(sources, diagnostic.span, &diagnostic.label)];
            spans.extend(diagnostic.related.iter().map(|(span, label)| span_json(sources, *span, label)));
            spans.retain(|span| !span.is_null());
            json!({
                "severity": match diagnostic.severity { Severity::Error => "error", Severity::Warning => "warning" },
                "code": diagnostic.code.id,
                "message": diagnostic.message,
                "path": diagnostic.path,
                "help": diagnostic.help,
                "spans": spans,
            })
        })
        .collect()
}

fn span_json(sources: &Sources, span: Span, label: &str) -> Value {
    match (sources.get(span.source), sources.line_column(span)) {
        (Some(source), Some((line, column))) => json!({
            "file": source.name,
            "line": line,
            "column": column,
            "length": span.end.saturating_sub(span.start),
            "label": label,
        }),
        _ => Value::Null,
    }
}

/// Every finding with its code frame, errors after warnings so that the last lines are the ones that matter.
pub(crate) fn render(sources: &Sources, diagnostics: &[Diagnostic], coloured: bool) -> String {
    let renderer = if coloured { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let mut ordered: Vec<&Diagnostic> = diagnostics.iter().collect();
    ordered.sort_by_key(|diagnostic| (diagnostic.severity, diagnostic.span.source, diagnostic.span.start));
    let frames: Vec<String> = ordered.into_iter().map(|diagnostic| frame(sources, diagnostic, &renderer)).collect();
    frames.join("\n\n") + "\n"
}

fn frame(sources: &Sources, diagnostic: &Diagnostic, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code.id);
    let mut group = Group::with_title(title);
    let mut places = vec![(diagnostic.span, diagnostic.label.as_str(), AnnotationKind::Primary)];
    let related = diagnostic.related.iter();
    places.extend(related.map(|(span, label)| (*span, label.as_str(), AnnotationKind::Context)));
    places.retain(|(span, ..)| sources.get(span.source).is_some());
    while let Some((first, ..)) = places.first() {
        let source = first.source;
        let (here, rest): (Vec<_>, Vec<_>) = places.into_iter().partition(|(span, ..)| span.source == source);
        group = group.element(snippet(sources, source, &here));
        places = rest;
    }
    if diagnostic.span.is_none() && !diagnostic.path.is_empty() {
        group = group.element(Level::NOTE.message(format!("in `{}`", diagnostic.path)));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    renderer.render(&[group])
}

fn snippet<'a>(
    sources: &'a Sources,
    source: SourceId,
    places: &[(Span, &'a str, AnnotationKind)],
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let (name, text) = sources.get(source).map_or(("", ""), |source| (source.name.as_str(), source.text.as_str()));
    let ranges: Vec<_> = places.iter().map(|(span, ..)| range(text, *span)).collect();
    let start = ranges.iter().map(|range| range.start).min().unwrap_or(0);
    let end = ranges.iter().map(|range| range.end).max().unwrap_or(0);
    let window = window(text, start, end);
    let line_start = text[..window.start].matches('\n').count() + 1;
    let annotations = places.iter().zip(ranges).map(|((_, label, kind), range)| {
        let annotation = kind.span(range.start - window.start..range.end - window.start);
        if label.is_empty() { annotation } else { annotation.label(*label) }
    });
    Snippet::source(&text[window.clone()]).path(name).line_start(line_start).fold(true).annotations(annotations)
}

/// The byte range of a span, on character boundaries, at least one character wide, within its first line: a value that
/// spans many lines is underlined where it starts.
fn range(text: &str, span: Span) -> std::ops::Range<usize> {
    let start = text.floor_char_boundary(span.start as usize);
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let end = text.ceil_char_boundary(span.end as usize).min(line_end).max(start);
    if end > start {
        return start..end;
    }
    start..text[start..].chars().next().map_or(start, |letter| start + letter.len_utf8()).min(line_end.max(start))
}

/// Whole lines around the places; a very long line is cut.
fn window(text: &str, start: usize, end: usize) -> std::ops::Range<usize> {
    let from = text[..start].rmatch_indices('\n').nth(CONTEXT_LINES).map_or(0, |(at, _)| at + 1);
    let to = text[end..].match_indices('\n').nth(CONTEXT_LINES).map_or(text.len(), |(at, _)| end + at);
    let from = if start - from > LONGEST_LINE { text.floor_char_boundary(start - 80) } else { from };
    let to = if to - end > LONGEST_LINE { text.ceil_char_boundary(end + 80) } else { to };
    from..to
}

#[cfg(test)]
mod tests {
    use polyaxon_spec::diagnostic::codes;
    use snapbox::{assert_data_eq, str};

    use super::*;

    const TEXT: &str = "kind: component\nrun:\n  kind: job\n  containr:\n    image: x\n";

    #[test]
    fn a_finding_shows_its_place_its_label_and_its_help() {
        let mut sources = Sources::default();
        let file = sources.add("op.yaml", TEXT);
        let at = TEXT.find("containr").unwrap();
        let diagnostic =
            Diagnostic::error(codes::UNKNOWN_FIELD, Span::new(file, at, at + 8), "unknown field `containr`")
                .label("not a field of `job`")
                .help("did you mean `container`?");
        assert_data_eq!(
            render(&sources, &[diagnostic], false),
            str![[r"
error[PLX0202]: unknown field `containr`
 --> op.yaml:4:3
  |
4 |   containr:
  |   ^^^^^^^^ not a field of `job`
  |
  = help: did you mean `container`?

"]]
        );
    }

    #[test]
    fn related_places_may_be_in_another_file() {
        let mut sources = Sources::default();
        let file = sources.add("op.yaml", TEXT);
        let other = sources.add("-P lr", "abc");
        let diagnostic = Diagnostic::error(codes::IO_VALUE, Span::new(other, 0, 3), "`abc` is not a number")
            .related(Span::new(file, 0, 4), "declared here");
        let text = render(&sources, &[diagnostic], false);
        assert!(
            text.contains("--> -P lr:1:1") && text.contains("op.yaml:1:1") && text.contains("declared here"),
            "{text}"
        );
    }

    #[test]
    fn places_outside_of_the_text_and_empty_texts_do_not_break_the_renderer() {
        let mut sources = Sources::default();
        let empty = sources.add("empty.yaml", "");
        let accents = sources.add("é.yaml", "é: ü\n");
        for span in
            [Span::new(empty, 0, 0), Span::new(empty, 5, 9), Span::new(accents, 1, 2), Span::new(accents, 90, 91)]
        {
            assert!(render(&sources, &[Diagnostic::error(codes::EMPTY, span, "x")], false).contains("PLX0103"));
        }
        let long = sources.add("long.yaml", "x".repeat(1_000_000));
        let text = render(&sources, &[Diagnostic::error(codes::YAML, Span::new(long, 500_000, 500_001), "x")], false);
        assert!(text.len() < 10_000);
    }

    #[test]
    fn findings_as_data_name_file_line_and_column() {
        let mut sources = Sources::default();
        let file = sources.add("op.yaml", TEXT);
        let at = TEXT.find("containr").unwrap();
        let diagnostic =
            Diagnostic::error(codes::UNKNOWN_FIELD, Span::new(file, at, at + 8), "unknown field").path("run");
        let json = diagnostics_json(&sources, &[diagnostic]);
        assert_eq!(json[0]["spans"][0], json!({"file": "op.yaml", "line": 4, "column": 3, "length": 8, "label": ""}));
        assert_eq!((json[0]["code"].as_str(), json[0]["path"].as_str()), (Some("PLX0202"), Some("run")));
    }
}
