//! Finds what is written as in earlier versions and read all the same: snake_case fields and old kinds.
//!
//! Looks at a document as it was written, before [`crate::decode`] makes it canonical. Every finding can be mended in the
//! text without a doubt, or says why not.

use crate::decode::DocumentRole;
use crate::decode::report;
use crate::diagnostic::{Diagnostic, codes};
use crate::edit;
use crate::edit::Edit;
use crate::node::{Key, Map, Node, Value};
use crate::schema::old;
use crate::schema::{DOCUMENT, RUNTIMES};
use crate::section::{KubernetesObject, Section, Type};

/// Further places that one finding shows.
const MOST_PLACES: usize = 3;

/// The old spellings of a document. All snake_case fields are one finding.
pub fn find(document: &Node, text: &str, role: DocumentRole) -> Vec<Diagnostic> {
    let mut search = Search { text, renamed: Vec::new(), findings: Vec::new() };
    let has_kind = document.get("kind").is_some_and(|kind| !kind.is_null());
    if let Some(map) = document.as_map() {
        // In the first file of a request these are errors, which carry the same edits.
        let is_strict = role == DocumentRole::Main && has_kind;
        search.fields(&DOCUMENT, map, "", !is_strict);
    }
    let mut findings: Vec<Diagnostic> = snake_case(&search.renamed).into_iter().collect();
    findings.extend(search.findings);
    findings
}

struct Search<'a> {
    text: &'a str,
    renamed: Vec<Renamed<'a>>,
    findings: Vec<Diagnostic>,
}

struct Renamed<'a> {
    key: &'a Key,
    modern: &'static str,
    path: String,
}

impl<'a> Search<'a> {
    fn fields(&mut self, section: &'static Section, map: &'a Map, path: &str, reports_names: bool) {
        for (key, value) in map.iter() {
            let Some(field) = section.field_of(key) else { continue };
            let path = report::join(path, field.name);
            if key.text != field.name && reports_names && !map.contains(field.name) {
                self.renamed.push(Renamed { key, modern: field.name, path: path.clone() });
            }
            self.value(&field.ty, value, &path);
        }
    }

    fn value(&mut self, ty: &'static Type, node: &'a Node, path: &str) {
        match (ty, &node.value) {
            (Type::Section(section), Value::Map(map)) => self.fields(section, map, path, true),
            (Type::Document, Value::Map(map)) => self.fields(&DOCUMENT, map, path, true),
            (Type::Kinded(kinds), Value::Map(_)) => self.kinded(kinds, node, path),
            (Type::Runtime, Value::Map(map)) if map.contains("kind") => self.kinded(RUNTIMES, node, path),
            (Type::Runtime, Value::Map(map)) => self.runtime_fields(map, path),
            // A patch has the fields of the runtime that it changes.
            (Type::AnyMap, Value::Map(map)) if path.ends_with("runPatch") => self.runtime_fields(map, path),
            (Type::Kubernetes(object), Value::Map(map)) => self.kubernetes(object, map, path),
            (Type::List(inner), Value::List(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.value(inner, item, &report::index(path, index));
                }
            }
            (Type::Map(inner), Value::Map(map)) => {
                for (key, value) in map.iter() {
                    self.value(inner, value, &report::join(path, &key.text));
                }
            }
            (Type::Either(first, second), _) => {
                self.value(first, node, path);
                self.value(second, node, path);
            }
            (Type::Custom(custom), Value::Map(map)) => {
                if let Some(section) = custom.section {
                    self.fields(section, map, path, true);
                }
            }
            _ => {}
        }
    }

    /// Fields of a runtime whose kind is not known here.
    fn runtime_fields(&mut self, map: &'a Map, path: &str) {
        for (key, value) in map.iter() {
            let Some(field) = RUNTIMES.iter().find_map(|(_, section)| section.field_of(key)) else { continue };
            let path = report::join(path, field.name);
            if key.text != field.name && !map.contains(field.name) {
                self.renamed.push(Renamed { key, modern: field.name, path: path.clone() });
            }
            self.value(&field.ty, value, &path);
        }
    }

    fn kinded(&mut self, kinds: &'static [(&'static str, &'static Section)], node: &'a Node, path: &str) {
        let (Some(map), Some(kind)) = (node.as_map(), node.get("kind")) else { return };
        let modern = old::modern_kind(kinds, node);
        let name = modern.or(kind.as_str()).unwrap_or_default();
        if modern.is_some() || old::is_legacy(kinds, node) {
            self.findings.push(self.old_kind(map, kind, modern, path));
        }
        if let Some((_, section)) = kinds.iter().find(|(kind, _)| *kind == name) {
            self.fields(section, map, path, true);
        }
    }

    fn old_kind(&self, map: &Map, kind: &Node, modern: Option<&str>, path: &str) -> Diagnostic {
        let written = kind.as_str().unwrap_or_default();
        let finding = |message: String| {
            Diagnostic::warning(codes::OLD_SPELLING, kind.span, message).path(report::join(path, "kind"))
        };
        let Some(modern) = modern else {
            return finding(format!("`{written}` is the old form of `tpe`, and its `algorithm` exists only there"))
                .label("an old kind")
                .help("it is accepted; `kind: tpe` without `algorithm` makes better suggestions from the same fields");
        };
        let finding = finding(format!("`{written}` is an old name of the kind `{modern}`"))
            .label(format!("write `{modern}`"))
            .fix(Edit::new(kind.span, written, modern));
        let algorithm = map.get_key("algorithm").zip(map.get("algorithm"));
        match algorithm.and_then(|(key, value)| edit::removal(self.text, key.span, value.span)) {
            Some(removal) => finding
                .fix(removal)
                .help(format!("write `kind: {modern}` and remove `algorithm`, or let `polyaxon check --fix` do it")),
            None => finding.help(format!("write `kind: {modern}`, or let `polyaxon check --fix` do it")),
        }
    }

    fn kubernetes(&mut self, object: &'static KubernetesObject, map: &'a Map, path: &str) {
        for (key, _) in map.iter().filter(|(key, _)| key.is_text) {
            match object.key(&key.text) {
                Some(name) if name != key.text && !map.contains(name) => {
                    self.renamed.push(Renamed { key, modern: name, path: report::join(path, name) });
                }
                // As in the official tools, the one that is written last counts.
                Some(name) if name != key.text => {
                    let other = map.get_key(name).map_or(key.span, |key| key.span);
                    let (first, last) =
                        if other.start < key.span.start { (other, key.span) } else { (key.span, other) };
                    self.findings.push(
                        Diagnostic::warning(
                            codes::SHADOWED,
                            last,
                            format!("`{name}` is written twice, in two spellings"),
                        )
                        .label("this value is used")
                        .related(first, "this value is ignored")
                        .path(report::join(path, name))
                        .help("remove one of the two"),
                    );
                }
                _ => {}
            }
        }
    }
}

fn snake_case(renamed: &[Renamed]) -> Option<Diagnostic> {
    let first = renamed.first()?;
    let message = match renamed {
        [only] => format!("`{}` is an old spelling of `{}`", only.key.text, only.modern),
        all => format!("{} fields have an old spelling, `{}` among them", all.len(), first.key.text),
    };
    let mut finding = Diagnostic::warning(codes::OLD_SPELLING, first.key.span, message)
        .label(format!("write `{}`", first.modern))
        .path(&first.path)
        .help("`polyaxon check --fix` rewrites the names and nothing else");
    for other in renamed.iter().skip(1).take(MOST_PLACES) {
        finding = finding.related(other.key.span, format!("write `{}`", other.modern));
    }
    finding.fix = renamed.iter().map(|it| Edit::new(it.key.span, &*it.key.text, it.modern)).collect();
    Some(finding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::span::SourceId;
    use crate::yaml;

    fn fixed(text: &str) -> (Vec<String>, String) {
        let document = yaml::read(SourceId(0), text.as_bytes()).unwrap().node;
        let findings = find(&document, text, DocumentRole::Main);
        let edits: Vec<Edit> = findings.iter().flat_map(|finding| finding.fix.clone()).collect();
        let (new, count) = edit::apply(text, &edits);
        assert_eq!(count, edits.len(), "every edit fits: {edits:?}");
        (findings.into_iter().map(|finding| finding.message).collect(), new)
    }

    #[test]
    fn old_names_are_rewritten_and_nothing_else() {
        let (messages, new) = fixed(
            "# why\nkind: component\nrun:\n  kind: rayjob   # old\n  ray_version: '2.9'\n  head:\n    \
             container: {'image_pull_policy': Always, image: \"a:1\"}\n  runtime_env: {pip_packages: [x]}\n",
        );
        assert_eq!(
            messages,
            [
                "3 fields have an old spelling, `ray_version` among them",
                "`rayjob` is an old name of the kind `raycluster`"
            ]
        );
        assert_eq!(
            new,
            "# why\nkind: component\nrun:\n  kind: raycluster   # old\n  rayVersion: '2.9'\n  head:\n    \
             container: {'imagePullPolicy': Always, image: \"a:1\"}\n  runtimeEnv: {pip_packages: [x]}\n",
        );
    }

    #[test]
    fn patches_of_runtimes_have_fields_too() {
        let (messages, new) = fixed(
            "runPatch: {environment: {node_selector: {a_b: c}}, worker: {container: {working_dir: /x}}}\n\
             run: {is_external: true}\nhub_ref: a\n",
        );
        assert_eq!(messages, ["4 fields have an old spelling, `node_selector` among them"]);
        assert_eq!(
            new,
            "runPatch: {environment: {nodeSelector: {a_b: c}}, worker: {container: {workingDir: /x}}}\n\
             run: {isExternal: true}\nhubRef: a\n"
        );
    }

    #[test]
    fn hyperopt_is_tpe_where_its_algorithm_is() {
        let text = |algorithm: &str| {
            format!(
                "matrix:\n  kind: hyperopt\n{algorithm}  numRuns: 3\n  metric: {{name: loss, optimization: minimize}}\n  \
                 params: {{lr: {{kind: choice, value: [1]}}}}\n"
            )
        };
        for algorithm in ["", "  algorithm: tpe\n"] {
            let (messages, new) = fixed(&text(algorithm));
            assert_eq!(messages, ["`hyperopt` is an old name of the kind `tpe`"]);
            assert_eq!(new, text("").replace("hyperopt", "tpe"));
        }
        let (messages, new) = fixed(&text("  algorithm: anneal\n"));
        assert_eq!((messages.len(), new), (1, text("  algorithm: anneal\n")));
    }

    #[test]
    fn free_names_and_modern_documents_have_no_findings() {
        for text in [
            "kind: component\nrun: {kind: job, environment: {labels: {my_label: x}}, container: {image: 'a:1'}}\n",
            "params: {learning_rate: 1, data_set: {value: {max_retries: 3}}}\nhubRef: a\n",
            "termination: {max_retries: 1, maxRetries: 2}\n",
            "- a_list\n",
        ] {
            assert_eq!(fixed(text), (Vec::new(), text.to_owned()));
        }
    }
}
