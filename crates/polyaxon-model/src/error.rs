//! The bodies of refused requests, as every client reads them.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// The three shapes of an error body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ErrorBody {
    /// `["message"]`: a rule was broken.
    List(Vec<String>),
    /// `{"detail": "message"}`: the object or the method is not there, or the body is no JSON.
    Detail { detail: String },
    /// `{"field": ["message"]}`: fields are wrong; `non_field_errors` is about the whole object.
    Fields(serde_json::Map<String, Json>),
}

impl ErrorBody {
    pub fn list(message: impl Into<String>) -> ErrorBody {
        ErrorBody::List(vec![message.into()])
    }

    pub fn detail(message: impl Into<String>) -> ErrorBody {
        ErrorBody::Detail { detail: message.into() }
    }

    pub fn field(field: &str, message: impl Into<String>) -> ErrorBody {
        let messages = Json::Array(vec![Json::String(message.into())]);
        ErrorBody::Fields(serde_json::Map::from_iter([(field.to_owned(), messages)]))
    }

    pub fn object(message: impl Into<String>) -> ErrorBody {
        ErrorBody::field("non_field_errors", message)
    }

    /// `No Run matches the given query.`
    pub fn no_match(record: &str) -> ErrorBody {
        ErrorBody::detail(format!("No {record} matches the given query."))
    }

    /// What a person should read: every message, fields named.
    pub fn sentence(&self) -> String {
        match self {
            ErrorBody::List(messages) => messages.join("\n"),
            ErrorBody::Detail { detail } => detail.clone(),
            ErrorBody::Fields(fields) => {
                let line = |(field, value): (&String, &Json)| {
                    let text = match value {
                        Json::Array(parts) => parts.iter().map(plain).collect::<Vec<_>>().join(" "),
                        other => plain(other),
                    };
                    if field == "non_field_errors" { text } else { format!("{field}: {text}") }
                };
                fields.iter().map(line).collect::<Vec<_>>().join("\n")
            }
        }
    }
}

impl PartialSchema for ErrorBody {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let list = ArrayBuilder::new().items(text()).description(Some("A rule was broken."));
        let fields = ObjectBuilder::new()
            .property("detail", text().description(Some("The whole story, when it is not about one field.")))
            .description(Some("What is wrong with each field; `non_field_errors` is about the whole object."))
            .examples([json!({ "detail": "No Run matches the given query." })]);
        OneOfBuilder::new().item(fields).item(list).description(Some("Why a request was refused.")).into()
    }
}

impl ToSchema for ErrorBody {}

fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_round_trip_and_read_as_sentences() {
        for (body, text, sentence) in [
            (ErrorBody::list("No."), r#"["No."]"#, "No."),
            (
                ErrorBody::no_match("Run"),
                r#"{"detail":"No Run matches the given query."}"#,
                "No Run matches the given query.",
            ),
            (ErrorBody::field("name", "Taken."), r#"{"name":["Taken."]}"#, "name: Taken."),
            (ErrorBody::object("Bad."), r#"{"non_field_errors":["Bad."]}"#, "Bad."),
        ] {
            assert_eq!(serde_json::to_string(&body).unwrap(), text);
            assert_eq!(serde_json::from_str::<ErrorBody>(text).unwrap(), body);
            assert_eq!(body.sentence(), sentence);
        }
    }
}
