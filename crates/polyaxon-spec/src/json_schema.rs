//! The language as a JSON Schema (2020-12), for editors and other programs that check a polyaxonfile while it is written.
//!
//! Made from the decode tables. It accepts every valid document; rules over several fields and over several files are
//! left to `polyaxon check`. Old spellings are accepted, but editors do not suggest them.

use std::collections::HashMap;

use serde_json::{Map as JsonMap, Value as Json, json};

use crate::decode;
use crate::node::Node;
use crate::schema::DOCUMENT;
use crate::section::{Field, KubernetesObject, Section, Type, snake_case};
use crate::span::SourceId;
use crate::yaml;

/// The schema of a polyaxonfile.
pub fn document() -> Json {
    let mut definitions = Definitions::default();
    let root = definitions.section(&DOCUMENT);
    let mut defs = Definitions::scalars();
    defs.append(&mut definitions.list);
    let names: Vec<&str> = DOCUMENT.fields.iter().map(|field| field.name).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Polyaxonfile",
        "description": DOCUMENT.doc,
        "$ref": root,
        "if": {"required": ["kind"], "properties": {"kind": {"type": "string"}}},
        "then": {"propertyNames": {"enum": names}},
        "$defs": defs,
    })
}

#[derive(Default)]
struct Definitions {
    list: JsonMap<String, Json>,
    /// Names of the definitions of sections, by the address of the table.
    names: HashMap<*const Section, String>,
}

impl Definitions {
    /// Values that stand for another type, as the official tools accept them.
    fn scalars() -> JsonMap<String, Json> {
        let words =
            "^([01]|[tTfFyYnN]|[tT][rR][uU][eE]|[fF][aA][lL][sS][eE]|[yY][eE][sS]|[nN][oO]|[oO][nN]|[oO][fF][fF])$";
        let list = [
            (
                "template-text",
                json!({"type": "string", "description": "A template.", "pattern": r"\{\{\s*(.+)\s*\}\}"}),
            ),
            (
                "boolean",
                json!({"anyOf": [{"type": "boolean"}, {"enum": [0, 1]}, {"type": "string", "pattern": words}]}),
            ),
            (
                "integer",
                json!({
                    "type": ["integer", "boolean", "string"],
                    "pattern": r"^\s*[+-]?[0-9][0-9_]*(\.0+)?\s*$",
                }),
            ),
            (
                "number",
                json!({
                    "type": ["number", "boolean", "string"],
                    "pattern": r"^\s*[+-]?([0-9.][0-9_.]*([eE][+-]?[0-9]+)?|[iI][nN][fF]([iI][nN][iI][tT][yY])?|[nN][aA][nN])\s*$",
                }),
            ),
        ];
        list.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
    }

    /// A reference to the definition of a section, which is made at the first use.
    fn section(&mut self, section: &'static Section) -> String {
        if let Some(name) = self.names.get(&std::ptr::from_ref(section)) {
            return reference(name);
        }
        let name = self.free_name(section.name);
        self.names.insert(section, name.clone());
        // Takes its place before the sections that it holds, which may hold it.
        self.list.insert(name.clone(), Json::Null);
        let schema = self.fields(section);
        self.list.insert(name.clone(), schema);
        reference(&name)
    }

    fn free_name(&self, wanted: &str) -> String {
        let name = wanted.replace(' ', "-");
        let mut candidates = std::iter::once(name.clone()).chain((2..).map(|number| format!("{name}-{number}")));
        candidates.find(|candidate| !self.list.contains_key(candidate)).unwrap_or(name)
    }

    fn fields(&mut self, section: &'static Section) -> Json {
        let mut properties = JsonMap::new();
        let mut old_names = JsonMap::new();
        let mut required = Vec::new();
        let mut either = Vec::new();
        for field in section.fields {
            let snake = field.snake_name();
            properties.insert(field.name.to_owned(), self.field(field));
            if snake != field.name {
                let pointer = format!("{}/properties/{}", self.section(section), field.name);
                old_names.insert(format!("^{snake}$"), json!({"$ref": pointer, "deprecated": true}));
            }
            match (field.required, snake == field.name) {
                (true, true) => required.push(field.name),
                (true, false) => either.push(json!({"anyOf": [{"required": [field.name]}, {"required": [snake]}]})),
                (false, _) => {}
            }
        }
        let mut schema = json!({"title": section.name, "description": section.doc, "type": "object"});
        if !required.is_empty() {
            schema["required"] = required.into();
        }
        if !either.is_empty() {
            schema["allOf"] = either.into();
        }
        schema["properties"] = properties.into();
        if !old_names.is_empty() {
            schema["patternProperties"] = old_names.into();
        }
        schema["additionalProperties"] = false.into();
        schema
    }

    fn field(&mut self, field: &'static Field) -> Json {
        let mut forms = vec![self.value(&field.ty)];
        if field.template {
            forms.push(json!({"$ref": "#/$defs/template-text"}));
        }
        if !field.required {
            forms.push(json!({"type": "null"}));
        }
        let mut schema = json!({"description": described(field)});
        if let Some(default) = default_value(field) {
            schema["default"] = default;
        }
        if let Some(example) = plain(field.example) {
            schema["examples"] = json!([example]);
        }
        match (one_form(&forms), &mut schema) {
            (Some(Json::Object(form)), Json::Object(schema)) => schema.extend(form),
            (_, schema) => schema["anyOf"] = forms.into(),
        }
        schema
    }

    fn value(&mut self, ty: &'static Type) -> Json {
        match ty {
            Type::Str | Type::Uuid => json!({"type": "string"}),
            Type::IntStrict => json!({"type": "integer"}),
            Type::Int => json!({"$ref": "#/$defs/integer"}),
            Type::PositiveInt => json!({"$ref": "#/$defs/integer", "exclusiveMinimum": 0}),
            Type::Float | Type::Number => json!({"$ref": "#/$defs/number"}),
            Type::NonNegativeFloat => json!({"$ref": "#/$defs/number", "minimum": 0}),
            Type::Bool => json!({"$ref": "#/$defs/boolean"}),
            Type::GeneralText => json!({"type": ["string", "number", "boolean", "array", "object"]}),
            Type::CsvList => json!({"type": ["array", "string"], "items": {"type": "string"}}),
            Type::Date | Type::DateTime | Type::TimeDelta => json!({"type": ["string", "number"]}),
            Type::Enum(words) => json!({"type": "string", "enum": words}),
            Type::Any => json!({}),
            Type::AnyMap => json!({"type": "object"}),
            Type::List(inner) => json!({"type": "array", "items": self.value(inner)}),
            Type::Map(inner) => json!({"type": "object", "additionalProperties": self.value(inner)}),
            Type::Section(section) => json!({"$ref": self.section(section)}),
            Type::Document => json!({"$ref": self.section(&DOCUMENT)}),
            Type::Kinded(kinds) => self.kinded(kinds, true),
            Type::Runtime => self.kinded(crate::schema::RUNTIMES, false),
            Type::Kubernetes(object) => json!({"$ref": self.kubernetes(object)}),
            Type::Template => json!({"$ref": "#/$defs/template-text"}),
            Type::Either(first, second) => json!({"anyOf": [self.value(first), self.value(second)]}),
            Type::Custom(custom) => {
                let section = custom.section.map(|section| self.section(section)).unwrap_or_default();
                let text = custom.json_schema.replace("%SECTION%", &section);
                serde_json::from_str(&text).expect("the tables hold valid JSON, see the test")
            }
        }
    }

    /// The kind chooses the section, so that a mistake is reported where it is.
    fn kinded(&mut self, kinds: &'static [(&'static str, &'static Section)], needs_kind: bool) -> Json {
        let name = kinds_name(kinds);
        if !self.list.contains_key(name) {
            self.list.insert(name.to_owned(), Json::Null);
            let old = old_kinds(name);
            let words: Vec<&str> = kinds.iter().map(|(kind, _)| *kind).filter(|kind| !old.contains(kind)).collect();
            let mut kind = json!({"type": "string", "enum": words});
            if !old.is_empty() {
                // Editors suggest the words of an enum, and old kinds should not be suggested.
                kind = json!({"anyOf": [kind, {"type": "string", "pattern": format!("^({})$", old.join("|"))}]});
            }
            kind["description"] = "The kind decides which fields there are.".into();
            let choices: Vec<Json> = kinds
                .iter()
                .map(|(kind, section)| {
                    json!({
                        "if": {"required": ["kind"], "properties": {"kind": {"const": kind}}},
                        "then": {"$ref": self.section(section)},
                    })
                })
                .collect();
            let mut schema = json!({
                "type": "object",
                "properties": {"kind": kind},
                "allOf": choices,
            });
            if needs_kind {
                schema["required"] = json!(["kind"]);
            }
            self.list.insert(name.to_owned(), schema);
        }
        json!({"$ref": reference(name)})
    }

    fn kubernetes(&mut self, object: &'static KubernetesObject) -> String {
        let name = format!("kubernetes-{}", object.name.replace(' ', "-"));
        if !self.list.contains_key(&name) {
            let properties: JsonMap<String, Json> =
                object.keys.iter().map(|key| ((*key).to_owned(), json!({}))).collect();
            let old_names: JsonMap<String, Json> = object
                .keys
                .iter()
                .filter(|key| snake_case(key) != **key)
                .map(|key| (format!("^{}$", snake_case(key)), json!({"deprecated": true})))
                .collect();
            let mut schema = json!({
                "title": format!("Kubernetes {}", object.name),
                "description": format!("A Kubernetes {}. Its fields are those of the Kubernetes API.", object.name),
                "type": "object",
                "properties": properties,
                "patternProperties": old_names,
                "additionalProperties": false,
            });
            if !object.required.is_empty() {
                schema["required"] = json!(object.required);
            }
            if !object.allow_empty {
                schema["minProperties"] = json!(1);
            }
            self.list.insert(name.clone(), schema);
        }
        reference(&name)
    }
}

/// Kinds that are only accepted; see [`crate::schema::old`].
fn old_kinds(name: &str) -> &'static [&'static str] {
    match name {
        "runtime" => &["rayjob", "daskjob"],
        "matrix" => &["hyperopt"],
        _ => &[],
    }
}

fn kinds_name(kinds: &[(&'static str, &'static Section)]) -> &'static str {
    match kinds.first().map(|(kind, _)| *kind) {
        Some("job") => "runtime",
        Some("mapping") => "matrix",
        Some("cron") => "schedule",
        Some("choice") => "hyper-parameter",
        Some("metric_early_stopping") => "early-stopping",
        Some(first) => first,
        None => "nothing",
    }
}

fn reference(name: &str) -> String {
    format!("#/$defs/{name}")
}

/// The only form, or a plain type that may be null too.
fn one_form(forms: &[Json]) -> Option<Json> {
    match forms {
        [only] => Some(only.clone()),
        [form, null] if *null == json!({"type": "null"}) && form.get("enum").is_none() => {
            let mut form = form.clone();
            let mut types = match form.get("type")? {
                Json::String(name) => vec![Json::from(name.as_str())],
                Json::Array(types) => types.clone(),
                _ => return None,
            };
            types.push("null".into());
            form["type"] = types.into();
            Some(form)
        }
        _ => None,
    }
}

fn described(field: &'static Field) -> String {
    match field.default {
        Some(text) if default_value(field).is_none() => format!("{} Default: {text}.", field.doc),
        _ => field.doc.to_owned(),
    }
}

/// The default, when it is a value and not a sentence.
fn default_value(field: &'static Field) -> Option<Json> {
    let mut node = yaml::read(SourceId::NONE, field.default?.as_bytes()).ok()?.node;
    let mut problems = Vec::new();
    decode::read(&field.ty, &mut node, field.name, &mut problems);
    problems.is_empty().then(|| node.to_json())
}

fn plain(text: &str) -> Option<Json> {
    yaml::read(SourceId::NONE, text.as_bytes()).ok().map(|document| Node::to_json(&document.node))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn references(schema: &Json, found: &mut Vec<String>) {
        match schema {
            Json::Object(map) => {
                found.extend(map.get("$ref").and_then(Json::as_str).map(str::to_owned));
                map.values().for_each(|value| references(value, found));
            }
            Json::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let schema = document();
        let mut found = Vec::new();
        references(&schema, &mut found);
        assert!(found.len() > 200, "{}", found.len());
        for reference in found {
            assert!(schema.pointer(reference.trim_start_matches('#')).is_some_and(|it| !it.is_null()), "{reference}");
        }
    }

    #[test]
    fn a_field_shows_what_the_table_says() {
        let schema = document();
        assert_eq!(
            schema["$defs"]["termination"]["properties"]["maxRetries"],
            json!({
                "description": "How often a failed run is started again.",
                "default": 0,
                "examples": [3],
                "anyOf": [{"type": "integer"}, {"$ref": "#/$defs/template-text"}, {"type": "null"}],
            })
        );
        assert_eq!(
            schema["$defs"]["termination"]["patternProperties"]["^max_retries$"],
            json!({"$ref": "#/$defs/termination/properties/maxRetries", "deprecated": true})
        );
        let name = &schema["$defs"]["polyaxonfile"]["properties"]["hubRef"];
        assert_eq!(name["type"], json!(["string", "null"]));
    }
}
