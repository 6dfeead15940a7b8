//! The polyaxonfile language: text to spanned tree, typed sections, references, patches, composition.
//!
//! Invariant: no I/O, no clock, no environment. Files, URLs and hub components arrive through
//! [`loader::Loader`], which the caller implements.

pub mod check;
pub mod children;
pub mod clone;
pub mod compose;
pub mod connections;
pub mod dag;
pub mod decode;
pub mod diagnostic;
pub mod edit;
pub mod events;
pub mod guidance;
pub mod hub;
pub mod io;
pub mod json_schema;
pub mod likeness;
pub mod loader;
pub mod node;
pub mod params;
pub mod patch;
pub mod reference;
pub mod references;
pub mod refs;
pub mod scalar;
pub mod schema;
pub mod section;
pub mod shadow;
pub mod spaces;
pub mod span;
pub mod spelling;
pub mod template;
pub mod wire;
pub mod yaml;
