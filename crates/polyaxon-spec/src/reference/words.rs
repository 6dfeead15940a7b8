//! How types are called in documentation.

use crate::section::{Section, Type};

/// Kinds that are listed one by one.
const MOST_KINDS: usize = 7;

/// What a value of a type is: `integer`, `list of strings`. `link` names a section.
pub(super) fn of(ty: &'static Type, link: &dyn Fn(&'static Section) -> String) -> String {
    match ty {
        Type::Str | Type::GeneralText => "string".to_owned(),
        Type::IntStrict | Type::Int => "integer".to_owned(),
        Type::PositiveInt => "integer greater than 0".to_owned(),
        Type::Float | Type::Number => "number".to_owned(),
        Type::NonNegativeFloat => "number, 0 or more".to_owned(),
        Type::Bool => "boolean".to_owned(),
        Type::CsvList => "list of strings, or one string with commas".to_owned(),
        Type::Date => "date".to_owned(),
        Type::DateTime => "date and time".to_owned(),
        Type::TimeDelta => "duration: seconds, `1:30:00`, `2 days` or `PT90S`".to_owned(),
        Type::Uuid => "UUID".to_owned(),
        Type::Enum([only]) => format!("`{only}`"),
        Type::Enum(_) => "one of the allowed words".to_owned(),
        Type::Any => "any value".to_owned(),
        Type::AnyMap => "mapping".to_owned(),
        Type::List(inner) => format!("list of {}", several(inner, link)),
        Type::Map(inner) => format!("mapping of names to {}", several(inner, link)),
        Type::Section(section) => link(section),
        Type::Kinded(kinds) => {
            let mut names: Vec<String> = kinds.iter().map(|(_, section)| link(section)).collect();
            names.dedup();
            match names.as_slice() {
                [first, rest @ ..] if rest.len() > MOST_KINDS => {
                    format!("{first} or one of {} other kinds", rest.len())
                }
                names => alternatives(names),
            }
        }
        Type::Runtime => "runtime with a `kind`, or fields that change one".to_owned(),
        Type::Kubernetes(object) => format!("Kubernetes {}", object.name),
        Type::Template => "template".to_owned(),
        Type::Either(first, second) => format!("{} or {}", of(first, link), of(second, link)),
        Type::Document => link(&crate::schema::DOCUMENT),
        Type::Custom(custom) => match custom.section {
            Some(section) if custom.name == "a param" => format!("any value, or {}", link(section)),
            Some(section) => format!("{} ({})", without_article(custom.name), link(section)),
            None => without_article(custom.name).to_owned(),
        },
    }
}

fn several(ty: &'static Type, link: &dyn Fn(&'static Section) -> String) -> String {
    match ty {
        Type::Str | Type::GeneralText => "strings".to_owned(),
        Type::IntStrict | Type::Int => "integers".to_owned(),
        Type::Any => "any values".to_owned(),
        Type::AnyMap => "mappings".to_owned(),
        Type::Enum(_) => "the allowed words".to_owned(),
        Type::Kubernetes(object) => format!("Kubernetes {}s", object.name),
        Type::Either(first, second) => format!("{} or {}", several(first, link), several(second, link)),
        Type::List(inner) => format!("lists of {}", several(inner, link)),
        Type::Template => "templates".to_owned(),
        other => of(other, link),
    }
}

fn alternatives(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

fn without_article(name: &str) -> &str {
    name.strip_prefix("a ").or_else(|| name.strip_prefix("an ")).unwrap_or(name)
}

/// The words that a type allows, when it is about words.
pub(super) fn allowed(ty: &'static Type) -> Vec<&'static str> {
    match ty {
        Type::Enum(words) => words.to_vec(),
        Type::List(inner) | Type::Map(inner) => allowed(inner),
        Type::Either(first, second) => {
            let mut both = allowed(first);
            both.extend(allowed(second));
            both
        }
        _ => Vec::new(),
    }
}
