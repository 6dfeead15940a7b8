//! Restart, copy and resume: an override laid over the source of a run before it is compiled again.

use crate::compose::{self, Compiled, Place};
use crate::diagnostic::{Diagnostic, codes};
use crate::node::Node;
use crate::patch::{Strategy, apply_preset};

/// Which strategy holds for the shortcuts and `runPatch` of the outermost layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverrideStrategy {
    /// That of the source (restart, copy).
    Source,
    /// That of the override, when it names one (resume).
    Override,
}

/// Compiles the source of a run for the server, with an override.
pub fn compile(
    source: &Node,
    override_patch: Option<&Node>,
    strategy: OverrideStrategy,
) -> Result<(Node, Compiled), Vec<Diagnostic>> {
    let mut document = source.clone();
    let run_strategy = match override_patch {
        Some(patch) => apply_override(&mut document, patch, strategy)?,
        None => None,
    };
    let compiled = compose::compile(&document, run_strategy, Place::Root)?;
    match refused_build(&compiled.operation) {
        Some(problem) => Err(vec![problem]),
        None => Ok((document, compiled)),
    }
}

/// Lays the override over the source; gives the strategy for the outermost layer, when it is not the layer's own.
pub fn apply_override(
    source: &mut Node,
    patch: &Node,
    strategy: OverrideStrategy,
) -> Result<Option<Strategy>, Vec<Diagnostic>> {
    apply_preset(source, patch, Strategy::of(patch))?;
    let names_one = patch.get("patchStrategy").is_some_and(|strategy| !strategy.is_null());
    Ok((strategy == OverrideStrategy::Override && names_one).then(|| Strategy::of(patch)))
}

/// A dag has nothing that could be built.
pub fn refused_build(operation: &Node) -> Option<Diagnostic> {
    let build = operation.get("build")?;
    if operation.at(&["run", "kind"]).and_then(Node::as_str) != Some("dag") {
        return None;
    }
    Some(
        Diagnostic::error(codes::BUILD, build.span, "a dag cannot have a `build` section")
            .label("not possible on a dag")
            .path("build")
            .help("put the section on the operations of the dag that need it"),
    )
}
