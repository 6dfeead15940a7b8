//! Between our values and those of the protocol.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use lsp_types::{
    CompletionItem, CompletionItemKind, CompletionTextEdit, Diagnostic, DiagnosticRelatedInformation,
    DiagnosticSeverity, Documentation, Location, MarkupContent, MarkupKind, NumberOrString, Range, TextEdit, Uri,
};
use polyaxon_spec::diagnostic::{Diagnostic as Finding, Severity};
use polyaxon_spec::span::{Source, Span};
use polyaxon_spec::yaml;
use url::Url;

use super::complete::{Candidate, Completion, Kind};
use super::diagnose::Findings;
use super::names::Place;
use super::position;
use crate::source::loader::shown;

/// More findings in one file help nobody.
const MOST_FINDINGS: usize = 200;

/// The path of a document. One that is no file yet is thought to be in the working directory.
pub(super) fn path_of(uri: &Uri) -> PathBuf {
    let parsed = Url::parse(uri.as_str()).ok();
    let file = parsed.as_ref().filter(|url| url.scheme() == "file").and_then(|url| url.to_file_path().ok());
    if let Some(path) = file {
        return PathBuf::from(shown(&path));
    }
    let name: String = uri.as_str().chars().map(|letter| if letter.is_alphanumeric() { letter } else { '-' }).collect();
    std::env::current_dir().unwrap_or_default().join(name)
}

pub(super) fn uri_of(path: &Path) -> Option<Uri> {
    Uri::from_str(Url::from_file_path(path).ok()?.as_str()).ok()
}

pub(super) fn markdown(value: String) -> MarkupContent {
    MarkupContent { kind: MarkupKind::Markdown, value }
}

pub(super) fn location(place: &Place, open_text: &str) -> Option<Location> {
    let text = place.text.as_deref().unwrap_or(open_text);
    Some(Location::new(uri_of(place.path.as_ref()?)?, position::range(text, place.range.clone())))
}

pub(super) fn completion_items(text: &str, completion: Completion) -> Vec<CompletionItem> {
    let range = position::range(text, completion.range);
    let candidates = completion.candidates.into_iter().enumerate();
    candidates.map(|(position, candidate)| completion_item(range, position, candidate)).collect()
}

fn completion_item(range: Range, position: usize, candidate: Candidate) -> CompletionItem {
    let kind = match candidate.kind {
        Kind::Field => CompletionItemKind::PROPERTY,
        Kind::Word => CompletionItemKind::ENUM_MEMBER,
        Kind::Type => CompletionItemKind::TYPE_PARAMETER,
        Kind::Reference => CompletionItemKind::REFERENCE,
        Kind::File => CompletionItemKind::FILE,
        Kind::Folder => CompletionItemKind::FOLDER,
        Kind::Variable => CompletionItemKind::VARIABLE,
    };
    let full = |text: String| Some(text).filter(|text| !text.is_empty());
    CompletionItem {
        kind: Some(kind),
        detail: full(candidate.detail),
        documentation: full(candidate.doc).map(|doc| Documentation::MarkupContent(markdown(doc))),
        sort_text: Some(format!("{}{position:04}", candidate.rank)),
        filter_text: Some(candidate.label.clone()),
        text_edit: Some(CompletionTextEdit::Edit(TextEdit { range, new_text: candidate.insert })),
        label: candidate.label,
        ..CompletionItem::default()
    }
}

/// The findings of the open document at `path`, and where each is.
pub(super) fn diagnostics(findings: &Findings, path: &Path, text: &str) -> Vec<Diagnostic> {
    findings.diagnostics.iter().take(MOST_FINDINGS).map(|finding| diagnostic(findings, path, text, finding)).collect()
}

fn diagnostic(findings: &Findings, path: &Path, text: &str, finding: &Finding) -> Diagnostic {
    let mut places = vec![(finding.span, finding.label.as_str())];
    places.extend(finding.related.iter().map(|(span, label)| (*span, label.as_str())));
    // What is wrong in another file is shown at the reference that leads there.
    let here = places.iter().position(|(span, _)| path_of_span(findings, *span) == Some(path));
    let elsewhere = || {
        let source = source_of(findings, finding.span)?;
        let range = findings.reference_to(findings.files.get(&source.name).map(PathBuf::as_path))?;
        Some(position::range(text, range))
    };
    let range = match here {
        Some(at) => range_of(findings, places[at].0),
        None => elsewhere(),
    };
    let range = range.unwrap_or_default();
    let is_skipped = findings.is_skipped(finding);
    let mut message = finding.message.clone();
    if !finding.label.is_empty() && !is_skipped {
        message.push_str(&format!(" ({})", finding.label));
    }
    if let (None | Some(1..), Some(source)) = (here, source_of(findings, finding.span)) {
        message = format!("{}: {message}", file_name(&source.name));
    }
    if let Some(help) = &finding.help {
        message.push_str(&format!("\nhelp: {help}"));
    }
    let related = places.iter().enumerate().filter(|(at, _)| here != Some(*at)).filter_map(|(_, (span, label))| {
        let uri = uri_of(path_of_span(findings, *span)?)?;
        let label = if label.is_empty() { &finding.message } else { *label };
        let location = Location::new(uri, range_of(findings, *span)?);
        Some(DiagnosticRelatedInformation { location, message: label.to_owned() })
    });
    let related: Vec<_> = related.collect();
    let severity = match (is_skipped, finding.severity) {
        (true, _) => DiagnosticSeverity::INFORMATION,
        (false, Severity::Error) => DiagnosticSeverity::ERROR,
        (false, Severity::Warning) => DiagnosticSeverity::WARNING,
    };
    Diagnostic {
        range,
        severity: Some(severity),
        code: Some(NumberOrString::String(finding.code.id.to_owned())),
        source: Some("polyaxon".to_owned()),
        message,
        related_information: Some(related).filter(|related| !related.is_empty()),
        data: Some(serde_json::json!({ "explain": finding.code.meaning })),
        ..Diagnostic::default()
    }
}

fn source_of(findings: &Findings, span: Span) -> Option<&Source> {
    findings.sources.get(span.source)
}

fn path_of_span(findings: &Findings, span: Span) -> Option<&Path> {
    findings.files.get(&source_of(findings, span)?.name).map(PathBuf::as_path)
}

/// A value of many lines is underlined where it starts.
fn range_of(findings: &Findings, span: Span) -> Option<Range> {
    let text = &source_of(findings, span)?.text;
    if text.len() > yaml::MAX_BYTES {
        return Some(Range::default());
    }
    let start = text.floor_char_boundary(span.start as usize);
    let line_end = text[start..].find(['\n', '\r']).map_or(text.len(), |at| start + at);
    let end = text.ceil_char_boundary(span.end as usize).min(line_end).max(start);
    Some(position::range(text, start..end))
}

fn file_name(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}
