//! `polyaxon explain FIELD`: what the tables know about one place of the language.

use serde_json::{Value as Json, json};

use super::words;
use crate::decode::report;
use crate::schema::{self, Place};
use crate::section::{Field, Section, Type};

/// Other places that are named at most.
const MOST_RELATED: usize = 6;

/// One place of the language.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    pub path: String,
    pub ty: String,
    pub meaning: String,
    pub required: bool,
    pub default: Option<&'static str>,
    /// A template may stand for the whole value.
    pub template: bool,
    pub allowed: Vec<&'static str>,
    pub example: Option<String>,
    /// What is inside: fields, or kinds to choose from.
    pub inner: Inner,
    /// Paths of fields with the same name.
    pub related: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Inner {
    Nothing,
    /// Name, type and meaning.
    Fields(Vec<(&'static str, String, &'static str)>),
    /// Kind and meaning.
    Kinds(Vec<(&'static str, &'static str)>),
    /// The fields of a Kubernetes object.
    Keys(Vec<&'static str>),
}

/// Explains what a path leads to; `None` when it leads nowhere.
pub fn explain(path: &str) -> Option<Explanation> {
    let found = schema::find(path)?;
    let places = schema::places();
    if let (Some(object), Some(key)) = (found.object, found.object_field) {
        let below = if found.path.ends_with(key) { String::new() } else { format!(", below `{key}`") };
        return Some(Explanation {
            ty: format!("field of a Kubernetes {}", object.name),
            meaning: format!(
                "As in the Kubernetes API{below}. The value is passed on as it is written; templates are rendered in it."
            ),
            template: true,
            related: related(&found.path, key, None, &places),
            ..empty(found.path)
        });
    }
    let inner = match (found.object, found.sections.as_slice()) {
        (Some(object), _) => Inner::Keys(object.keys.to_vec()),
        (None, []) => Inner::Nothing,
        (None, [(_, section)]) => Inner::Fields(section.fields.iter().map(line).collect()),
        (None, kinds) => Inner::Kinds(kinds.iter().map(|(kind, section)| (*kind, section.doc)).collect()),
    };
    let Some(field) = found.field else {
        let section = found.sections.first().map(|(_, section)| *section)?;
        return Some(Explanation {
            ty: format!("mapping ({})", section.name),
            meaning: section.doc.to_owned(),
            inner,
            ..empty(found.path)
        });
    };
    let is_section = found.sections.len() == 1 && !matches!(field.ty, Type::Custom(_));
    let section = found.sections.first().map(|(_, section)| section.doc).filter(|_| is_section);
    let meaning = match section {
        Some(doc) if doc != field.doc && !field.doc.starts_with("Short for") => format!("{} {doc}", field.doc),
        _ => field.doc.to_owned(),
    };
    Some(Explanation {
        ty: type_of(field),
        meaning,
        required: field.required,
        default: field.default,
        template: field.template,
        allowed: words::allowed(&field.ty),
        example: Some(format!("{}: {}", field.name, field.example)),
        inner,
        related: related(&found.path, field.name, Some(&type_of(field)), &places),
        path: found.path,
    })
}

fn empty(path: String) -> Explanation {
    Explanation {
        path,
        ty: String::new(),
        meaning: String::new(),
        required: false,
        default: None,
        template: false,
        allowed: Vec::new(),
        example: None,
        inner: Inner::Nothing,
        related: Vec::new(),
    }
}

fn line(field: &'static Field) -> (&'static str, String, &'static str) {
    (field.name, type_of(field), field.doc)
}

/// The type in words. Sections with a kind are explained by their kinds.
fn type_of(field: &'static Field) -> String {
    let has_kind = |section: &Section| {
        section.fields.iter().any(|field| field.name == "kind" && matches!(field.ty, Type::Enum([_])))
    };
    words::of(&field.ty, &|section| match section.name {
        _ if has_kind(section) => "mapping with a `kind`".to_owned(),
        name => format!("mapping ({name})"),
    })
}

/// Other fields of the same name that take the same.
fn related(path: &str, name: &str, ty: Option<&str>, places: &[Place]) -> Vec<String> {
    if name == "kind" {
        return Vec::new();
    }
    let same = places.iter().filter(|place| place.field.name == name && place.path != path);
    let alike = same.filter(|place| ty.is_none_or(|ty| type_of(place.field) == ty));
    alike.map(|place| place.path.clone()).take(MOST_RELATED).collect()
}

/// Paths that somebody may have meant by a path that leads nowhere, best first.
pub fn similar(path: &str) -> Vec<String> {
    let plain = |text: &str| text.replace(['_', '-'], "").to_lowercase();
    let last = plain(path.rsplit('.').next().unwrap_or(path));
    let places = schema::places();
    let named: Vec<&Place> = places.iter().filter(|place| plain(place.field.name) == last).collect();
    let close = || {
        let name = report::closest(&last, places.iter().map(|place| place.field.name));
        places.iter().filter(|place| Some(place.field.name) == name).collect()
    };
    let mut candidates: Vec<&Place> = if named.is_empty() { close() } else { named };
    let likeness = |place: &Place| (strsim::jaro_winkler(&plain(path), &plain(&place.path)) * 1000.0) as i64;
    candidates.sort_by_key(|place| -likeness(place));
    candidates.into_iter().map(|place| place.path.clone()).take(MOST_RELATED).collect()
}

impl Explanation {
    pub fn to_json(&self) -> Json {
        let mut json = json!({
            "path": self.path,
            "type": self.ty,
            "description": self.meaning,
            "required": self.required,
            "template": self.template,
            "default": self.default,
            "example": self.example,
            "allowed": self.allowed,
            "related": self.related,
        });
        match &self.inner {
            Inner::Nothing => {}
            Inner::Fields(fields) => {
                let fields = fields.iter();
                json["fields"] =
                    fields.map(|(name, ty, doc)| json!({"name": name, "type": ty, "description": doc})).collect();
            }
            Inner::Kinds(kinds) => {
                json["kinds"] = kinds.iter().map(|(kind, doc)| json!({"kind": kind, "description": doc})).collect();
            }
            Inner::Keys(keys) => json["fields"] = keys.iter().map(|key| json!({"name": key})).collect(),
        }
        json
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_kinds_and_kubernetes_objects_are_explained() {
        let retries = explain("operation.termination.max_retries").unwrap();
        assert_eq!((retries.path.as_str(), retries.ty.as_str()), ("termination.maxRetries", "integer"));
        assert_eq!((retries.default, retries.template), (Some("0"), true));
        assert_eq!(retries.example.as_deref(), Some("maxRetries: 3"));
        assert!(matches!(explain("run").unwrap().inner, Inner::Kinds(kinds) if kinds.len() == schema::RUNTIMES.len()));
        assert!(matches!(explain("run.job").unwrap().inner, Inner::Fields(_)));
        assert!(matches!(explain("run.job.container").unwrap().inner, Inner::Keys(_)));
        assert_eq!(explain("run.container.image").unwrap().ty, "field of a Kubernetes container");
        assert_eq!(explain("hooks.trigger").unwrap().allowed.first(), Some(&"created"));
        assert_eq!(explain("nothing"), None);
    }

    #[test]
    fn a_name_alone_finds_its_places() {
        assert_eq!(similar("maxRetries"), ["termination.maxRetries"]);
        assert_eq!(similar("termination.maxRetrys"), ["termination.maxRetries"]);
        assert!(similar("nodeSelector")[0].ends_with("environment.nodeSelector"));
        assert!(similar("xyzzy").is_empty());
    }
}
