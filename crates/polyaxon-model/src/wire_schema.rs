//! Schemas of the scalars of the wire: words of a vocabulary, ids and times.

use serde_json::json;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

/// One of the words of a closed vocabulary.
pub(crate) fn words(vocabulary: &str, words: &[&str]) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(format!("A {vocabulary}.")))
        .enum_values(Some(words.iter().copied()))
        .into()
}

/// A uuid as every answer writes it.
pub(crate) fn uuid() -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("32 lower-case hexadecimal digits; bodies may also have dashes."))
        .pattern(Some("^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$"))
        .examples([json!("8aac02e3a62a4f0aaa257c59da5eab80")])
        .into()
}

/// A date and time in ISO 8601.
pub(crate) fn time(description: &str, example: &str) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .description(Some(description))
        .examples([json!(example)])
        .into()
}

/// Python's booleans come as themselves or as their text.
pub(crate) fn boolean_or_text(description: &str, example: &str) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Boolean, Type::String]))
        .description(Some(description))
        .examples([json!(example)])
        .into()
}
