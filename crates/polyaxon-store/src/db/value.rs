//! Values that cross the seam, and how the types of the model become them and come back.

use std::str::FromStr;

use polyaxon_model::JsonMap;
use polyaxon_model::ids::{ExecutorId, ProjectId, QueueId, RunId, StateId, VersionId};
use polyaxon_model::kinds::{
    ArtifactKind, CloningKind, EdgeKind, LiveState, ManagedBy, Pending, RunKind, Runtime, Trigger, VersionKind,
};
use polyaxon_model::queue::QueueResource;
use polyaxon_model::stage::Stage;
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;
use serde::de::DeserializeOwned;

use crate::{Error, Result};

/// A value of a column or an argument.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

/// A row, read from left to right.
#[derive(Debug)]
pub struct Row {
    values: std::vec::IntoIter<Value>,
    column: usize,
}

impl Row {
    pub fn new(values: Vec<Value>) -> Row {
        Row { values: values.into_iter(), column: 0 }
    }

    /// The next column.
    pub fn take<T: FromValue>(&mut self) -> Result<T> {
        let column = self.column;
        self.column += 1;
        let value = self.values.next().unwrap_or(Value::Null);
        T::from_value(value).map_err(|message| Error::Corrupt { column, message })
    }

    /// The next column, which holds JSON text.
    pub fn take_json<T: DeserializeOwned>(&mut self) -> Result<T> {
        let column = self.column;
        let text: String = self.take()?;
        serde_json::from_str(&text).map_err(|error| Error::Corrupt { column, message: error.to_string() })
    }

    /// The next column, which holds JSON text or nothing.
    pub fn take_optional_json<T: DeserializeOwned>(&mut self) -> Result<Option<T>> {
        let column = self.column;
        let text: Option<String> = self.take()?;
        text.map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|error| Error::Corrupt { column, message: error.to_string() })
    }
}

/// JSON text of a value.
pub fn json<T: serde::Serialize>(value: &T) -> Value {
    Value::Text(serde_json::to_string(value).expect("records have string keys, so they always serialise"))
}

/// JSON text of a value, or null.
pub fn optional_json<T: serde::Serialize>(value: Option<&T>) -> Value {
    value.map_or(Value::Null, json)
}

/// A type that a column can be read as. The error says what was found.
pub trait FromValue: Sized {
    fn from_value(value: Value) -> Result<Self, String>;
}

impl FromValue for Value {
    fn from_value(value: Value) -> Result<Value, String> {
        Ok(value)
    }
}

impl FromValue for String {
    fn from_value(value: Value) -> Result<String, String> {
        match value {
            Value::Text(text) => Ok(text),
            other => Err(format!("expected a text, found {other:?}")),
        }
    }
}

impl FromValue for i64 {
    fn from_value(value: Value) -> Result<i64, String> {
        match value {
            Value::Int(number) => Ok(number),
            other => Err(format!("expected an integer, found {other:?}")),
        }
    }
}

impl FromValue for f64 {
    fn from_value(value: Value) -> Result<f64, String> {
        match value {
            Value::Float(number) => Ok(number),
            Value::Int(number) => Ok(number as f64),
            other => Err(format!("expected a number, found {other:?}")),
        }
    }
}

impl FromValue for bool {
    fn from_value(value: Value) -> Result<bool, String> {
        match value {
            Value::Bool(value) => Ok(value),
            Value::Int(number) => Ok(number != 0),
            other => Err(format!("expected a boolean, found {other:?}")),
        }
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value) -> Result<Option<T>, String> {
        match value {
            Value::Null => Ok(None),
            value => T::from_value(value).map(Some),
        }
    }
}

impl FromValue for Timestamp {
    fn from_value(value: Value) -> Result<Timestamp, String> {
        i64::from_value(value).map(Timestamp::from_micros)
    }
}

impl FromValue for LiveState {
    fn from_value(value: Value) -> Result<LiveState, String> {
        let number = i64::from_value(value)?;
        LiveState::from_number(number).ok_or_else(|| format!("{number} is no live state"))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Value {
        Value::Int(value)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Value {
        Value::Int(value.into())
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Value {
        Value::Float(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Value {
        Value::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Value {
        Value::Text(value)
    }
}

impl From<Timestamp> for Value {
    fn from(value: Timestamp) -> Value {
        Value::Int(value.as_micros())
    }
}

impl From<LiveState> for Value {
    fn from(value: LiveState) -> Value {
        Value::Int(value.as_number())
    }
}

impl From<&JsonMap> for Value {
    fn from(value: &JsonMap) -> Value {
        json(value)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}

macro_rules! text_columns {
    ($($name:ident),+ $(,)?) => {$(
        impl FromValue for $name {
            fn from_value(value: Value) -> Result<$name, String> {
                $name::from_str(&String::from_value(value)?).map_err(|error| error.to_string())
            }
        }

        impl From<$name> for Value {
            fn from(value: $name) -> Value {
                Value::Text(value.to_string())
            }
        }
    )+};
}

text_columns!(
    RunId,
    ProjectId,
    StateId,
    VersionId,
    ExecutorId,
    QueueId,
    QueueResource,
    Status,
    RunKind,
    Runtime,
    ManagedBy,
    Pending,
    CloningKind,
    EdgeKind,
    ArtifactKind,
    VersionKind,
    Stage,
    Trigger,
);
