//! `template`: marks a document that must be completed before it can run.

use crate::section::{Section, Type, field};

pub static TEMPLATE: Section = Section {
    name: "template",
    doc: "Marks a document as a form that must be completed before it can run.",
    fields: &[
        field("enabled", Type::Bool, "Whether the document is only a form.", "true").template(),
        field("description", Type::Str, "What to fill in.", "Set the image and the connection"),
        field("fields", Type::List(&Type::Str), "The fields to fill in.", "[run.container.image]").template(),
    ],
    check: None,
};
