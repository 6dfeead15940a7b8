//! The vocabulary of the decode tables: what a section is, which fields it has, what each accepts.
//!
//! Every section of the language is one `static` [`Section`] in [`crate::schema`]. Reading, writing, patching, JSON
//! Schema, completion and reference documentation all walk these tables; nothing else knows field names.

use crate::diagnostic::Diagnostic;
use crate::node::Node;

/// A typed mapping of the language, for example `termination`.
#[derive(Debug)]
pub struct Section {
    /// What a person calls it: `termination`, `job`, `input`.
    pub name: &'static str,
    pub doc: &'static str,
    pub fields: &'static [Field],
    /// Rules over several fields; runs after all fields were read, on the canonical node (camelCase keys).
    pub check: Option<fn(&mut Node, &mut Vec<Diagnostic>)>,
}

/// One field. The snake_case spelling of `name` is accepted too; output always uses `name`.
#[derive(Debug)]
pub struct Field {
    /// The wire name, camelCase.
    pub name: &'static str,
    pub ty: Type,
    pub required: bool,
    /// A template string may stand for the whole value (`T?ref` in spec §3).
    pub template: bool,
    /// The default as shown to people; values themselves are never filled in while reading.
    pub default: Option<&'static str>,
    pub doc: &'static str,
    pub example: &'static str,
}

/// What a field accepts (spec §3). Names follow the document.
#[derive(Debug)]
pub enum Type {
    Str,
    IntStrict,
    Int,
    Float,
    NumStrict,
    Bool,
    /// Text, or anything else as compact JSON text.
    GeneralText,
    /// A list of strings, or one string split at commas.
    CsvList,
    DateTime,
    TimeDelta,
    Uuid,
    Enum(&'static [&'static str]),
    Any,
    /// A free mapping.
    AnyMap,
    List(&'static Type),
    Map(&'static Type),
    Section(&'static Section),
    /// A section chosen by its `kind` (or another discriminator): `(kind, section)`.
    Kinded(&'static [(&'static str, &'static Section)]),
    /// An embedded Kubernetes object: only its top-level keys are checked; values stay as written.
    Kubernetes(&'static KubernetesObject),
    /// Either of two types: the first that accepts wins, errors come from the last.
    Either(&'static Type, &'static Type),
    /// A nested document: component, operation or kindless.
    Document,
    /// Rules that fit no other variant. Reads the node in place into its canonical form.
    Custom(&'static CustomType),
}

/// The allowed top-level keys of an embedded Kubernetes object (spec §5).
#[derive(Debug)]
pub struct KubernetesObject {
    pub name: &'static str,
    pub keys: &'static [&'static str],
    pub required: &'static [&'static str],
    pub allow_empty: bool,
}

/// A type with its own reader.
pub struct CustomType {
    /// What it accepts, for messages and documentation: `memory quantity`.
    pub name: &'static str,
    /// Rewrites the node into canonical form, or reports what is wrong; `path` is the document path.
    pub read: fn(&mut Node, path: &str, &mut Vec<Diagnostic>),
    /// JSON Schema of what it accepts.
    pub json_schema: &'static str,
}

impl std::fmt::Debug for CustomType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}
