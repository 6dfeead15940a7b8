//! A project of files in memory, and findings as text.

use std::collections::BTreeMap;

use polyaxon_spec::check::{Outcome, Request, check};
use polyaxon_spec::diagnostic::Diagnostic;
use polyaxon_spec::loader::{LoadError, Loaded, Loader};
use polyaxon_spec::span::{Sources, Span};

/// File texts by path. Hub components are `hub/NAME.yaml`.
pub(crate) struct Project(BTreeMap<&'static str, &'static str>);

impl Project {
    pub(crate) fn new(files: &[(&'static str, &'static str)]) -> Project {
        Project(files.iter().copied().collect())
    }

    /// A project with one component of a job, `train.yaml`, that takes `lr` and `epochs`.
    pub(crate) fn training(files: &[(&'static str, &'static str)]) -> Project {
        let mut project = Project::new(files);
        project.0.insert("train.yaml", TRAIN);
        project
    }

    pub(crate) fn check(&mut self, request: Request) -> Outcome {
        check(&request, self)
    }

    /// The findings of checking these files, each on its own lines.
    pub(crate) fn findings(&mut self, request: Request) -> String {
        let outcome = self.check(request);
        outcome.diagnostics.iter().map(|finding| shown(finding, &outcome.sources)).collect()
    }

    fn load(&self, name: &str, path: &str, folder: Option<String>) -> Result<Loaded, LoadError> {
        let text = self.0.get(path).ok_or_else(|| LoadError::not_found("no such file"))?;
        Ok(Loaded { name: name.into(), text: text.as_bytes().to_vec(), identity: path.into(), folder })
    }
}

const TRAIN: &str = "\
kind: component
name: train
inputs:
- {name: lr, type: float}
- {name: epochs, type: int, validation: {gt: 0}}
- {name: seed, type: int, value: 1}
outputs:
- {name: loss, type: metric}
run:
  kind: job
  container: {image: 'train:1', command: [train], args: ['--lr={{ lr }}']}
";

impl Loader for Project {
    fn file(&mut self, folder: Option<&str>, path: &str) -> Result<Loaded, LoadError> {
        let mut parts: Vec<&str> = folder.into_iter().flat_map(|folder| folder.split('/')).collect();
        for part in path.split('/') {
            match part {
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        parts.retain(|part| !part.is_empty());
        let full = parts.join("/");
        let folder = full.rsplit_once('/').map_or("", |(folder, _)| folder).to_string();
        self.load(&full, &full, Some(folder))
    }

    fn url(&mut self, url: &str) -> Result<Loaded, LoadError> {
        self.load(url, url, None)
    }

    fn hub(&mut self, name: &str) -> Result<Loaded, LoadError> {
        self.load(&format!("hub:{name}"), &format!("hub/{name}.yaml"), None)
    }
}

/// A request for files.
pub(crate) fn files(files: &[&str]) -> Request {
    Request { files: files.iter().map(ToString::to_string).collect(), ..Request::default() }
}

fn shown(finding: &Diagnostic, sources: &Sources) -> String {
    let severity = if finding.is_error() { "error" } else { "warning" };
    let mut text =
        format!("{}: {severity}[{}] {}\n", place(finding.span, sources), finding.code.class, finding.message);
    let mut line = |mark: &str, content: &str| {
        if !content.is_empty() {
            text.push_str(&format!("    {mark} {content}\n"));
        }
    };
    line("^", &finding.label);
    for (span, label) in &finding.related {
        line("-", &format!("{}: {label}", place(*span, sources)));
    }
    line("=", finding.help.as_deref().unwrap_or_default());
    text
}

fn place(span: Span, sources: &Sources) -> String {
    match (sources.get(span.source), sources.line_column(span)) {
        (Some(source), Some((line, column))) => format!("{}:{line}:{column}", source.name),
        _ => "-".into(),
    }
}

/// Compares findings, ignoring the indentation of the expected text.
#[track_caller]
pub(crate) fn assert_findings(expected: &str, found: &str) {
    let expected = expected.trim_start_matches('\n').trim_end();
    let found = found.trim_end();
    assert!(expected == found, "expected:\n{expected}\n\nfound:\n{found}\n");
}
