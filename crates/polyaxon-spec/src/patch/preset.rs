//! A preset or an override onto a whole document (spec §12.5).

use super::run::{kind_of, patch_run, read_run_patch, runtime_section};
use super::{Strategy, native_run, patch_fields, patch_section};
use crate::diagnostic::Diagnostic;
use crate::node::{Key, Map, Node, Value};
use crate::schema;

/// Fields that a preset never changes, and those with rules of their own below.
const NOT_PATCHED: &[&str] = &[
    "kind",
    "version",
    "isPreset",
    "hubRef",
    "dagRef",
    "urlRef",
    "pathRef",
    "component",
    "patchStrategy",
    "run",
    "cmd",
    "runPatch",
];

/// Patches a document with a preset; both are canonical.
pub fn apply_preset(document: &mut Node, preset: &Node, strategy: Strategy) -> Result<(), Vec<Diagnostic>> {
    let Some(patch) = preset.as_map() else { return Ok(()) };
    let native = native_run(document)?;
    let component_run = match document.get("component") {
        Some(component) if !component.is_null() => native_run(component)?,
        _ => None,
    };
    let Some(config) = document.as_map_mut() else { return Ok(()) };
    patch_fields(&schema::DOCUMENT, config, patch, strategy, |name| !NOT_PATCHED.contains(&name));
    patch_command(config, patch, strategy);
    if let Some(value) = patch.get("run") {
        let base = native.as_ref().or(component_run.as_ref());
        let run = patch_run(config.get("run"), value, strategy, base, "run")?;
        config.insert_key(key_of(patch, "run"), run.unwrap_or_else(Node::null));
    }
    let Some(value) = patch.get("runPatch").filter(|value| !value.is_null()) else { return Ok(()) };
    // The kind is known from here on even when the preset itself brought it.
    let runtime = native_run(document)?;
    let merged = merge_run_patches(document.get("runPatch"), value, runtime.as_ref(), strategy)?;
    if let Some(config) = document.as_map_mut() {
        config.insert_key(key_of(patch, "runPatch"), merged);
    }
    Ok(())
}

fn key_of(map: &Map, key: &str) -> Key {
    map.get_key(key).cloned().unwrap_or_else(|| Key::new(key))
}

/// A command is one script: it is replaced or kept, its lines are never merged.
fn patch_command(config: &mut Map, patch: &Map, strategy: Strategy) {
    let Some(value) = patch.get("cmd") else { return };
    let is_empty = config.get("cmd").is_none_or(Node::is_null);
    if is_empty || strategy.prefers_patch() {
        config.insert_key(key_of(patch, "cmd"), value.clone());
    }
}

/// Two run patches as one, without applying them to the runtime.
fn merge_run_patches(
    current: Option<&Node>,
    value: &Node,
    runtime: Option<&Node>,
    strategy: Strategy,
) -> Result<Node, Vec<Diagnostic>> {
    let Some(current) = current.filter(|patch| !patch.is_null()) else { return Ok(value.clone()) };
    let section = runtime.and_then(kind_of).and_then(runtime_section);
    let (Some(runtime), Some(section)) = (runtime, section) else {
        return Ok(if strategy == Strategy::Replace { value.clone() } else { current.clone() });
    };
    let patch = read_run_patch(value, runtime, "runPatch")?;
    let mut config = read_run_patch(current, runtime, "runPatch")?;
    patch_section(section, &mut config, &patch, strategy);
    Ok(Node::new(Value::Map(config), current.span))
}
