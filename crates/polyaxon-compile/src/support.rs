//! What the language has and this version cannot execute yet: refused with a clear finding, never ignored.

use polyaxon_spec::diagnostic::{Diagnostic, codes};
use polyaxon_spec::node::Node;
use polyaxon_spec::span::Span;

/// The runtimes that can be executed. Some are what the server itself starts.
const RUNTIMES: &[&str] = &["job", "service", "dag", "notifier", "cleaner", "tuner"];

/// The first thing in a composed operation that cannot be executed by this version, if any. The operations of a dag
/// are looked at when they run.
pub fn unsupported(compiled: &Node) -> Option<Diagnostic> {
    let kind = compiled.at(&["run", "kind"])?;
    let name = kind.as_str().filter(|name| !RUNTIMES.contains(name))?;
    Some(refused(kind.span, "run.kind", &format!("`run.kind: {name}` cannot be executed by this version yet")))
}

fn refused(span: Span, path: &str, message: &str) -> Diagnostic {
    let problem = Diagnostic::error(codes::NOT_SUPPORTED, span, message).label("not supported yet").path(path);
    problem.help("jobs, services, dags, schedules and searches can be executed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_is_named() {
        let cases = [
            (serde_json::json!({"run": {"kind": "job"}}), None),
            (serde_json::json!({"run": {"kind": "service"}, "hooks": []}), None),
            (serde_json::json!({"run": {"kind": "dag"}}), None),
            (serde_json::json!({"run": {"kind": "job"}, "build": {"hubRef": "a"}, "events": [{}]}), None),
            (serde_json::json!({"run": {"kind": "mpijob"}}), Some("run.kind")),
            (serde_json::json!({"run": {"kind": "job"}, "matrix": {"kind": "grid"}}), None),
            (serde_json::json!({"run": {"kind": "mpijob"}, "matrix": {"kind": "grid"}}), Some("run.kind")),
            (serde_json::json!({"run": {"kind": "job"}, "matrix": {"kind": "bayes"}}), None),
            (serde_json::json!({"run": {"kind": "job"}, "schedule": {"kind": "cron"}}), None),
            (serde_json::json!({"run": {"kind": "job"}, "joins": [{"query": "status: failed"}]}), None),
        ];
        for (json, expected) in cases {
            let found = unsupported(&Node::from_json(&json));
            assert_eq!(found.as_ref().map(|finding| finding.path.as_str()), expected, "{json}");
        }
    }
}
