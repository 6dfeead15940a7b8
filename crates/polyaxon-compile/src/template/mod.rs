//! The template language of the polyaxonfile (spec §16.3).

pub mod print;
