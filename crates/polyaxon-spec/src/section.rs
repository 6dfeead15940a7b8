//! The vocabulary of the decode tables: what a section is, which fields it has, what each accepts.
//!
//! Every section of the language is one `static` [`Section`] in [`crate::schema`]. Reading, writing, patching, JSON
//! Schema, completion and reference documentation all walk these tables; nothing else knows field names.

use crate::diagnostic::Diagnostic;
use crate::node::{Key, Node};

/// A typed mapping of the language, for example `termination`.
#[derive(Debug)]
pub struct Section {
    /// What a person calls it: `termination`, `job`, `input`.
    pub name: &'static str,
    pub doc: &'static str,
    pub fields: &'static [Field],
    /// Rules over several fields. Runs after all fields were read without errors, on the canonical node (camelCase
    /// keys), with the path of the section.
    pub check: Option<Check>,
}

pub type Check = fn(&mut Node, &str, &mut Vec<Diagnostic>);

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
    PositiveInt,
    Float,
    NonNegativeFloat,
    /// A number as it is; anything else that stands for one becomes a float.
    Number,
    Bool,
    /// Text, or anything else as compact JSON text.
    GeneralText,
    /// A list of strings, or one string split at commas.
    CsvList,
    Date,
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
    /// A section chosen by its `kind`: `(kind, section)`.
    Kinded(&'static [(&'static str, &'static Section)]),
    /// A section of [`crate::schema::RUNTIMES`] chosen by its `kind`, or a mapping without `kind`, which stays as it
    /// is until the kind is known.
    Runtime,
    /// An embedded Kubernetes object: only its top-level keys are checked; values stay as written.
    Kubernetes(&'static KubernetesObject),
    /// A template string.
    Template,
    /// Either of two types: the first that accepts wins.
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
    pub read: Check,
    /// JSON Schema of what it accepts; `%SECTION%` stands for the definition of `section`.
    pub json_schema: &'static str,
    /// The fields of a mapping of this type, when it has fixed ones.
    pub section: Option<&'static Section>,
}

impl std::fmt::Debug for CustomType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// An optional field without template and default.
pub const fn field(name: &'static str, ty: Type, doc: &'static str, example: &'static str) -> Field {
    Field { name, ty, required: false, template: false, default: None, doc, example }
}

impl Field {
    pub const fn required(self) -> Field {
        Field { required: true, ..self }
    }

    pub const fn template(self) -> Field {
        Field { template: true, ..self }
    }

    pub const fn default(self, text: &'static str) -> Field {
        Field { default: Some(text), ..self }
    }

    /// The spelling with underscores.
    pub fn snake_name(&self) -> String {
        snake_case(self.name)
    }
}

impl Section {
    /// The field with this name in either spelling.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        let exact = self.fields.iter().find(|field| field.name == name);
        exact.or_else(|| self.fields.iter().find(|field| snake_case(field.name) == name))
    }

    /// The field that a written key names.
    pub(crate) fn field_of(&self, key: &Key) -> Option<&'static Field> {
        if key.is_text { self.field(&key.text) } else { None }
    }
}

impl KubernetesObject {
    /// The camelCase form of a key in either spelling. As in the official tools, `Image` is a spelling of `image`.
    pub(crate) fn key(&self, name: &str) -> Option<&'static str> {
        let exact = self.keys.iter().find(|key| **key == name);
        exact.or_else(|| self.keys.iter().find(|key| snake_case(key) == snake_case(name))).copied()
    }
}

/// `hostPID` as `host_pid`: an underscore wherever an upper-case letter follows another kind of letter.
pub fn snake_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let mut was_upper = true;
    for character in name.chars() {
        if character.is_ascii_uppercase() && !was_upper {
            out.push('_');
        }
        was_upper = character.is_ascii_uppercase();
        out.push(character.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_two_spellings() {
        for (camel, snake) in
            [("hostPID", "host_pid"), ("nProcPerNode", "n_proc_per_node"), ("Metrics", "metrics"), ("ttl", "ttl")]
        {
            assert_eq!(snake_case(camel), snake);
        }
    }
}
