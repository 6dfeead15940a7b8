//! Typed uuids. The wire form is 32 lower-case hexadecimal digits; reading accepts every usual form.
//!
//! Must not know how ids are made: callers pass a [`Uuid`] (floors 0-2 have no randomness).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// The namespace in which the official server derives ids of text (artifact states, component states).
pub const OWNER_NAMESPACE: Uuid = Uuid::from_u128(0x9b0a_3806_e3f8_4ea1_959a_7842_e341_29ed);

/// A text that is no uuid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a uuid, expected 32 hexadecimal digits")]
pub struct InvalidId(pub String);

macro_rules! typed_ids {
    ($($(#[$attribute:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$attribute])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            pub const fn new(uuid: Uuid) -> $name {
                $name(uuid)
            }

            pub const fn uuid(self) -> Uuid {
                self.0
            }

            /// The wire form: 32 lower-case hexadecimal digits.
            pub fn to_hex(self) -> String {
                self.0.simple().to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.pad(self.0.simple().encode_lower(&mut Uuid::encode_buffer()))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(out, concat!(stringify!($name), "({})"), self.0.simple())
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<$name, InvalidId> {
                Uuid::try_parse(text).map($name).map_err(|_| InvalidId(text.to_owned()))
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> $name {
                $name(uuid)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.0.simple().encode_lower(&mut Uuid::encode_buffer()))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $crate::wire_schema::uuid()
            }
        }

        impl utoipa::ToSchema for $name {}
    )+};
}

typed_ids! {
    /// A run; also the name of its folder in the artifacts store.
    RunId,
    ProjectId,
    /// A version of a component, a model or an artifact.
    VersionId,
    /// What an artifact, a component or a cached result is a version of: equal content, equal state.
    StateId,
    /// This database, made once when it is created.
    InstallationId,
    /// Who executes runs: a server, by its home folder, or a registered agent.
    ExecutorId,
    QueueId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_textual_form_is_read_and_hex_is_written() {
        let hex = "9b0a3806e3f84ea1959a7842e34129ed";
        for text in [hex, "9B0A3806-E3F8-4EA1-959A-7842E34129ED", "{9b0a3806-e3f8-4ea1-959a-7842e34129ed}"] {
            let id: RunId = text.parse().unwrap();
            assert_eq!(id.to_string(), hex);
            assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{hex}\""));
        }
        assert!("9b0a".parse::<RunId>().is_err());
        assert!(serde_json::from_str::<RunId>("\"x\"").unwrap_err().to_string().contains("`x` is not a uuid"));
    }
}
