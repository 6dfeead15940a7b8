//! `mount`: local files for the run.

use crate::section::{Section, Type, field};

/// `from[:to]` as text, or a mapping.
pub(super) const MOUNT_ITEM: Type = Type::Either(&Type::Str, &Type::Section(&MOUNT));

pub static MOUNT: Section = Section {
    name: "mount",
    doc: "A file or folder of the submitter that the run sees.",
    fields: &[
        field("from", Type::Str, "The path at the submitter's side.", "./data"),
        field("to", Type::Str, "The path in the run.", "/data"),
    ],
    check: None,
};
