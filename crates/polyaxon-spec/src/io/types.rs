//! The names of io types, including the Python spellings that are accepted (spec §7).

use crate::likeness;
use crate::schema;
use crate::section::Section;

/// The types that are documented, for messages.
pub(super) const KNOWN: &[&str] = &[
    "int",
    "float",
    "bool",
    "str",
    "dict",
    "list",
    "path",
    "uri",
    "gcs",
    "s3",
    "wasb",
    "image",
    "metric",
    "metadata",
    "date",
    "datetime",
    "timedelta",
    "uuid",
    "email",
    "any",
    "git",
    "dockerfile",
    "file",
    "tensorboard",
    "artifacts",
    "event",
];

/// What a value of a type looks like.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    Any,
    Int(Bound),
    Float(Bound),
    Bool,
    StrictInt,
    StrictFloat,
    StrictBool,
    /// Anything, as its text.
    GeneralText,
    Text,
    Uri,
    Gcs,
    S3,
    Wasb,
    Image,
    Date,
    TimeDelta,
    Uuid,
    Email,
    /// A text that holds JSON.
    Json,
    Composite(&'static Section),
    List(Box<Shape>),
    Set(Box<Shape>),
    Mapping {
        text_keys: bool,
        values: Box<Shape>,
    },
    Null,
    FirstOf(Vec<Shape>),
}

/// The range that a constrained number type allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    None,
    Positive,
    NonNegative,
    Negative,
    NonPositive,
    Finite,
}

/// A type that values can be checked against.
#[derive(Clone, Debug)]
pub struct IoType {
    pub(super) shape: Shape,
    /// A string is parsed as JSON first.
    pub(super) loadable: bool,
}

impl IoType {
    /// `None` for unknown names.
    pub fn parse(name: &str, is_list: bool) -> Option<IoType> {
        let (shape, loadable) = match named(name) {
            Some(found) => found,
            None => (expression(name)?, name != "bool" && name != "Any"),
        };
        Some(if is_list {
            IoType { shape: Shape::List(Box::new(shape)), loadable: true }
        } else {
            IoType { shape, loadable }
        })
    }
}

impl IoType {
    /// Whether values have fields of their own; rules for plain values do not fit them.
    pub fn is_composite(&self) -> bool {
        matches!(self.shape, Shape::Composite(_))
    }
}

/// Whether a value of type `from` may go into an io of type `to` (spec §7).
pub fn are_compatible(to: Option<&str>, from: Option<&str>) -> bool {
    const TEXTS: &[&str] = &["str", "path", "s3", "gcs", "wasb"];
    const NUMBERS: &[&str] = &["float", "metric"];
    let both_in = |group: &[&str]| match (to, from) {
        (Some(to), Some(from)) => group.contains(&to) && group.contains(&from),
        _ => false,
    };
    to == from || both_in(TEXTS) || both_in(NUMBERS)
}

/// The known type that a misspelt name is closest to.
pub(super) fn suggestion(name: &str) -> Option<&'static str> {
    match name {
        "string" | "text" => return Some("str"),
        "integer" => return Some("int"),
        "number" | "double" => return Some("float"),
        "boolean" => return Some("bool"),
        "url" => return Some("uri"),
        "duration" => return Some("timedelta"),
        "map" | "mapping" | "object" => return Some("dict"),
        _ => {}
    }
    likeness::closest(name, KNOWN.iter().copied(), 2)
}

/// The language's own names, only valid as the whole type.
fn named(name: &str) -> Option<(Shape, bool)> {
    Some(match name {
        "any" => (Shape::Any, false),
        "str" => (Shape::GeneralText, false),
        "path" => (Shape::Text, false),
        "uri" => (Shape::Uri, false),
        "gcs" => (Shape::Gcs, false),
        "s3" => (Shape::S3, false),
        "wasb" => (Shape::Wasb, false),
        "image" => (Shape::Image, false),
        "date" | "datetime" => (Shape::Date, false),
        "timedelta" => (Shape::TimeDelta, false),
        "uuid" => (Shape::Uuid, false),
        "email" => (Shape::Email, false),
        "metric" => (Shape::Float(Bound::None), true),
        "metadata" => (mapping(), true),
        "git" => (Shape::Composite(&schema::GIT), true),
        "dockerfile" => (Shape::Composite(&schema::DOCKERFILE), true),
        "file" => (Shape::Composite(&schema::FILE), true),
        "tensorboard" => (Shape::Composite(&schema::TENSORBOARD), true),
        "artifacts" => (Shape::Composite(&schema::ARTIFACTS), true),
        "event" => (Shape::Composite(&schema::EVENT), true),
        _ => return None,
    })
}

fn mapping() -> Shape {
    Shape::Mapping { text_keys: false, values: Box::new(Shape::Any) }
}

/// A Python type expression: `List[int]`, `Dict[str, float]`, `Optional[int]`, `int | None`.
fn expression(text: &str) -> Option<Shape> {
    if text.starts_with([' ', '\t']) {
        return None;
    }
    let mut reader = Reader { rest: text };
    let shape = reader.union()?;
    reader.rest.trim().is_empty().then_some(shape)
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn union(&mut self) -> Option<Shape> {
        let first = self.term()?;
        let mut shapes = vec![first];
        while self.take("|") {
            shapes.push(self.term()?);
        }
        if shapes.len() == 1 { shapes.pop() } else { Some(Shape::FirstOf(shapes)) }
    }

    fn term(&mut self) -> Option<Shape> {
        self.rest = self.rest.trim_start();
        if let Some(quote) = self.rest.chars().next().filter(|letter| matches!(letter, '\'' | '"')) {
            let inner = &self.rest[1..];
            let end = inner.find(quote)?;
            let shape = expression(&inner[..end])?;
            self.rest = &inner[end + 1..];
            return Some(shape);
        }
        let end = self.rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        let arguments = if self.take("[") { Some(self.arguments()?) } else { None };
        build(name, arguments)
    }

    fn arguments(&mut self) -> Option<Vec<Shape>> {
        let mut arguments = vec![self.union()?];
        while self.take(",") {
            arguments.push(self.union()?);
        }
        self.take("]").then_some(arguments)
    }

    fn take(&mut self, mark: &str) -> bool {
        match self.rest.trim_start().strip_prefix(mark) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

fn build(name: &str, arguments: Option<Vec<Shape>>) -> Option<Shape> {
    if let Some(arguments) = arguments {
        let mut arguments = arguments.into_iter();
        let first = Box::new(arguments.next()?);
        let second = arguments.next();
        return match (name, second) {
            ("List" | "list", None) => Some(Shape::List(first)),
            ("set" | "frozenset", None) => Some(Shape::Set(first)),
            ("Dict" | "dict", Some(values)) => {
                Some(Shape::Mapping { text_keys: matches!(*first, Shape::Text), values: Box::new(values) })
            }
            ("Optional", None) => Some(Shape::FirstOf(vec![Shape::Null, *first])),
            _ => None,
        };
    }
    Some(match name {
        "int" => Shape::Int(Bound::None),
        "PositiveInt" => Shape::Int(Bound::Positive),
        "NonNegativeInt" => Shape::Int(Bound::NonNegative),
        "NegativeInt" => Shape::Int(Bound::Negative),
        "NonPositiveInt" => Shape::Int(Bound::NonPositive),
        "float" => Shape::Float(Bound::None),
        "PositiveFloat" => Shape::Float(Bound::Positive),
        "NonNegativeFloat" => Shape::Float(Bound::NonNegative),
        "NegativeFloat" => Shape::Float(Bound::Negative),
        "NonPositiveFloat" => Shape::Float(Bound::NonPositive),
        "FiniteFloat" => Shape::Float(Bound::Finite),
        "bool" => Shape::Bool,
        "StrictInt" => Shape::StrictInt,
        "StrictFloat" => Shape::StrictFloat,
        "StrictBool" => Shape::StrictBool,
        "str" | "StrictStr" | "SecretStr" => Shape::Text,
        "GenericStr" => Shape::GeneralText,
        "Uri" => Shape::Uri,
        "ImageStr" => Shape::Image,
        "GcsPath" => Shape::Gcs,
        "S3Path" => Shape::S3,
        "WasbPath" => Shape::Wasb,
        "UUIDStr" => Shape::Uuid,
        "EmailStr" => Shape::Email,
        "PastDate" | "FutureDate" => Shape::Date,
        "Json" => Shape::Json,
        "Any" | "object" => Shape::Any,
        "None" | "NoneType" => Shape::Null,
        "list" | "List" | "tuple" => Shape::List(Box::new(Shape::Any)),
        "set" | "frozenset" => Shape::Set(Box::new(Shape::Any)),
        "dict" | "Dict" => mapping(),
        _ => return None,
    })
}
