//! `plugins.notifications`: who is told about the end of a run.

use polyaxon_spec::node::Node;

use crate::context::is_truthy;

/// Whether an operation asks for notifications.
pub fn are_asked_for(operation: &Node) -> bool {
    operation.at(&["plugins", "notifications"]).is_some_and(is_truthy)
}

/// The connections that are told about this final status, each once. Without a trigger every end counts.
pub fn connections(operation: &Node, status: &str) -> Vec<String> {
    let all = operation.at(&["plugins", "notifications"]).and_then(Node::as_list).unwrap_or_default();
    let mut names: Vec<String> = Vec::new();
    for notification in all {
        let trigger = notification.get("trigger").and_then(Node::as_str).unwrap_or("done");
        if trigger != "done" && trigger != status {
            continue;
        }
        let connections = notification.get("connections").and_then(Node::as_list).unwrap_or_default();
        for name in connections.iter().filter_map(Node::as_str).filter(|name| !name.is_empty()) {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn triggers_choose_connections() {
        let operation = Node::from_json(&json!({ "plugins": { "notifications": [
            { "connections": ["a", "b"], "trigger": "failed" },
            { "connections": ["b", "c"], "trigger": "done" },
            { "connections": ["d"] },
            { "connections": ["e"], "trigger": "running" },
        ] } }));
        let cases = [
            ("failed", vec!["a", "b", "c", "d"]),
            ("succeeded", vec!["b", "c", "d"]),
            ("stopped", vec!["b", "c", "d"]),
        ];
        for (status, expected) in cases {
            assert_eq!(connections(&operation, status), expected, "{status}");
        }
        assert!(are_asked_for(&operation) && !are_asked_for(&Node::from_json(&json!({ "plugins": null }))));
    }
}
