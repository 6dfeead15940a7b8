//! Patching one layer with another: the generic algorithm that walks the section tables (spec §12.2), runtimes (§12.4),
//! run patches (§12.7) and presets (§12.5).
//!
//! Works on canonical nodes only, keeps the spans of whichever side a value comes from, and knows nothing of files,
//! references or params.

mod merge;
mod preset;
mod run;

use crate::node::{Map, Node};
use crate::section::{Section, Type};

pub use merge::deep_update;
pub use preset::apply_preset;
pub use run::{
    Role, RunPatchError, kind_of, native_run, patch_run, patched, read_run_patch, replica_fields, runtime_map,
    runtime_section,
};

/// How a layer patches what is below it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    #[default]
    PostMerge,
    PreMerge,
    IsNull,
    Replace,
}

impl Strategy {
    pub fn parse(text: &str) -> Option<Strategy> {
        match text {
            "post_merge" => Some(Strategy::PostMerge),
            "pre_merge" => Some(Strategy::PreMerge),
            "isnull" => Some(Strategy::IsNull),
            "replace" => Some(Strategy::Replace),
            _ => None,
        }
    }

    /// The `patchStrategy` of a document, `post_merge` when it names none.
    pub fn of(document: &Node) -> Strategy {
        document.get("patchStrategy").and_then(Node::as_str).and_then(Strategy::parse).unwrap_or_default()
    }

    /// Whether the patching side wins where two values cannot be merged.
    pub fn prefers_patch(self) -> bool {
        matches!(self, Strategy::PostMerge | Strategy::Replace)
    }
}

/// Patches `config` with `patch`, field by field of `section`.
pub fn patch_section(section: &'static Section, config: &mut Map, patch: &Map, strategy: Strategy) {
    patch_fields(section, config, patch, strategy, |_| true);
}

/// As [`patch_section`], for the fields that `takes` accepts.
pub fn patch_fields(
    section: &'static Section,
    config: &mut Map,
    patch: &Map,
    strategy: Strategy,
    takes: impl Fn(&str) -> bool,
) {
    for field in section.fields.iter().filter(|field| takes(field.name)) {
        let Some(value) = patch.get(field.name) else { continue };
        match config.get_mut(field.name) {
            Some(current) if !current.is_null() => patch_value(&field.ty, current, value, strategy),
            _ => {
                let key = patch.get_key(field.name).expect("the value was found under this key").clone();
                config.insert_key(key, value.clone());
            }
        }
    }
}

/// Patches one present value with one set value (which may be an explicit null).
fn patch_value(ty: &'static Type, current: &mut Node, value: &Node, strategy: Strategy) {
    match merge::rule(ty, current) {
        merge::Rule::Section(section) => {
            // A null or a template has no fields, so it changes nothing.
            if let (Some(config), Some(patch)) = (current.as_map_mut(), value.as_map()) {
                patch_section(section, config, patch, strategy);
            }
        }
        merge::Rule::Replicas(section) => merge::replicas(section, current, value, strategy),
        merge::Rule::Kubernetes => merge::kubernetes(current, value, strategy),
        merge::Rule::SameKind(kinds) => merge::same_kind(kinds, current, value, strategy),
        merge::Rule::Plain(depth) => merge::plain(depth, current, value, strategy),
    }
}
