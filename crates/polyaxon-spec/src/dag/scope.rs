//! What the nodes of a dag can refer to.

use super::GraphNode;
use crate::io::Declaration;
use crate::node::Node;
use crate::params::{Context, ContextIo};

/// Facts of a run that can be referred to as `globals.NAME`.
const GLOBALS: &[&str] = &[
    "owner_name",
    "project_name",
    "project_unique_name",
    "project_uuid",
    "run_info",
    "name",
    "uuid",
    "status",
    "namespace",
    "iteration",
    "context_path",
    "artifacts_path",
    "created_at",
    "compiled_at",
    "schedule_at",
    "started_at",
    "finished_at",
    "duration",
    "cloning_kind",
    "original_uuid",
    "is_independent",
];

/// The keys of the dag itself.
pub(super) fn of_dag(operation: &Node) -> Context {
    let mut context = Context::new();
    add_globals(&mut context, "dag");
    for (name, type_name) in [("inputs", "dict"), ("globals", "str"), ("artifacts", "str")] {
        context.insert(format!("dag.{name}"), ContextIo::typed(type_name));
    }
    for input in Declaration::all(operation, "inputs") {
        context.insert(format!("dag.inputs.{}", input.name), ContextIo::of(&input));
    }
    context
}

/// Adds the keys of a node.
pub(super) fn add_node(context: &mut Context, node: &GraphNode) {
    let prefix = format!("ops.{}", node.name);
    for list in ["outputs", "inputs"] {
        for io in Declaration::all(&node.compiled.operation, list) {
            context.insert(format!("{prefix}.{list}.{}", io.name), ContextIo::of(&io));
            if io.type_name() == Some("artifacts") {
                context.insert(format!("{prefix}.artifacts.{}", io.name), ContextIo::of(&io));
            }
        }
    }
    add_globals(context, &prefix);
    let wholes = [("inputs", "dict"), ("outputs", "dict"), ("globals", "str"), ("artifacts", "str"), ("io", "str")];
    for (name, type_name) in wholes {
        context.insert(format!("{prefix}.{name}"), ContextIo::typed(type_name));
    }
}

fn add_globals(context: &mut Context, prefix: &str) {
    for name in GLOBALS {
        context.insert(format!("{prefix}.globals.{name}"), ContextIo::typed("str"));
    }
}
