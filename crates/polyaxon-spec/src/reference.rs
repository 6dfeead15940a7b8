//! What the tables say, for people: explanations of single fields and the pages of the reference documentation.
//!
//! Pure text; the development tasks write the pages into the repository, where a test compares them.

mod codes;
mod explain;
mod pages;
mod sections;
mod words;

pub use codes::code_page;
pub use explain::{Explanation, Inner, explain, similar};

use crate::section::{Section, Type};

/// What a value of a type is called: `integer`, `list of strings`.
pub fn type_name(ty: &'static Type) -> String {
    words::of(ty, &|section: &Section| format!("mapping ({})", section.name))
}

/// A generated file of the documentation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Relative to the folder of the documentation: `polyaxonfile/termination.md`.
    pub path: String,
    pub text: String,
}

/// Every page: the index, the families of sections, the codes.
pub fn documents() -> Vec<Document> {
    let mut documents = sections::documents();
    documents.push(Document { path: "errors.md".to_owned(), text: codes::documentation() });
    documents
}
