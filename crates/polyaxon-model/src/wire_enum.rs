//! Closed vocabularies: one macro that ties an enum to its wire names.
//!
//! Invariant: the wire never sees a name that is not in the list, because the official client refuses whole
//! documents over one unknown word.

/// A word that is not part of a vocabulary.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not a {vocabulary}, expected one of: {expected}")]
pub struct UnknownWord {
    pub vocabulary: &'static str,
    pub found: String,
    pub expected: String,
}

/// Declares an enum with `ALL`, `as_str`, `Display`, `FromStr`, serde and its schema, all by wire name.
macro_rules! wire_enum {
    ($(#[$attribute:meta])* $name:ident as $vocabulary:literal { $($(#[$variant_attribute:meta])* $variant:ident = $wire:literal),+ $(,)? }) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_attribute])* $variant),+ }

        impl $name {
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The official wire name.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $wire),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::wire_enum::UnknownWord;

            fn from_str(text: &str) -> Result<$name, Self::Err> {
                match text {
                    $($wire => Ok($name::$variant),)+
                    _ => Err($crate::wire_enum::UnknownWord {
                        vocabulary: $vocabulary,
                        found: text.to_owned(),
                        expected: [$($wire),+].join(", "),
                    }),
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $crate::wire_schema::words($vocabulary, &[$($wire),+])
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

pub(crate) use wire_enum;
