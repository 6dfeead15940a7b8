//! Finds the field that a dotted path such as `operation.run.job.container` names, and lists every path there is.

use super::{DOCUMENT, DOCUMENT_KINDS, RUNTIMES};
use crate::section::{Field, KubernetesObject, Section, Type};

/// Where a path leads.
#[derive(Debug)]
pub struct Found {
    /// The path in its canonical spelling.
    pub path: String,
    /// The last field of the path; `None` for the document itself and for a kind of a section.
    pub field: Option<&'static Field>,
    /// The sections that the path leads into: none for plain values, several for a choice of kinds.
    pub sections: Vec<(&'static str, &'static Section)>,
    /// The Kubernetes object that the path leads into.
    pub object: Option<&'static KubernetesObject>,
    /// The last part of the path, when it is a field of a Kubernetes object.
    pub object_field: Option<&'static str>,
}

/// A field by a path that leads to it.
#[derive(Clone, Debug)]
pub struct Place {
    /// `run.job.container`, `matrix.grid.params.<name>.choice.value`
    pub path: String,
    pub field: &'static Field,
    /// The section that the field belongs to.
    pub section: &'static Section,
}

/// Walks from the document along names of fields and, where there is a choice, of kinds. Indexes (`inputs[0]`,
/// `inputs.0`) are passed over, so the paths of diagnostics can be given.
pub fn find(path: &str) -> Option<Found> {
    let mut found =
        Found { path: String::new(), field: None, sections: vec![("", &DOCUMENT)], object: None, object_field: None };
    let path = path.replace('[', ".").replace(']', "");
    let mut is_map = false;
    let names: Vec<&str> = path.split('.').filter(|name| !name.is_empty()).collect();
    for (position, name) in names.iter().copied().enumerate() {
        // Alone, `component` is the field.
        let is_kind_of_document = position == 0 && names.len() > 1 && DOCUMENT_KINDS.contains(&name);
        if name.bytes().all(|byte| byte.is_ascii_digit()) || is_kind_of_document {
            continue;
        }
        if let Some(object) = found.object {
            // What is below the first level is Kubernetes' own.
            if found.object_field.is_none() {
                found.object_field = Some(object.key(name)?);
            }
            found.path =
                joined(&found.path, found.object_field.filter(|key| object.key(name) == Some(key)).unwrap_or(name));
            continue;
        }
        let kind = found.sections.iter().find(|(kind, _)| *kind == name).copied();
        let field = found.sections.iter().find_map(|(_, section)| section.field(name));
        // A field of an item of a mapping comes after the free name of the item.
        let field = field.filter(|_| !is_map);
        match (kind.filter(|_| !is_map), field) {
            (Some((_, section)), _) => {
                found.path = joined(&found.path, name);
                found.field = None;
                found.sections = vec![("", section)];
            }
            (None, Some(field)) => {
                found.path = joined(&found.path, field.name);
                found.field = Some(field);
                found.sections = sections_of(&field.ty);
                found.object = object_of(&field.ty);
                is_map = is_mapping(&field.ty);
            }
            // The names of params, labels and other mappings are free.
            (None, None) if is_map => {
                found.path = joined(&found.path, name);
                is_map = false;
            }
            (None, None) => return None,
        }
    }
    Some(found)
}

/// Every field by the shortest path that leads to it through each section, in the order of the tables.
pub fn places() -> Vec<Place> {
    let mut places = Vec::new();
    let mut seen = vec![std::ptr::from_ref::<Section>(&DOCUMENT)];
    let mut open: Vec<(String, &'static Section)> = vec![(String::new(), &DOCUMENT)];
    while !open.is_empty() {
        for (path, section) in std::mem::take(&mut open) {
            for field in section.fields {
                let path = joined(&path, field.name);
                places.push(Place { path: path.clone(), field, section });
                let name = if is_mapping(&field.ty) { joined(&path, "<name>") } else { path };
                for (kind, inner) in sections_of(&field.ty) {
                    if !seen.contains(&std::ptr::from_ref(inner)) {
                        seen.push(inner);
                        open.push((if kind.is_empty() { name.clone() } else { joined(&name, kind) }, inner));
                    }
                }
            }
        }
    }
    places
}

fn joined(path: &str, name: &str) -> String {
    crate::decode::report::join(path, name)
}

fn is_mapping(ty: &Type) -> bool {
    matches!(ty, Type::Map(_))
}

/// The sections that a value of this type holds, each with its kind (empty without kinds).
pub fn sections_of(ty: &'static Type) -> Vec<(&'static str, &'static Section)> {
    match ty {
        Type::Section(section) => vec![("", section)],
        Type::Kinded(kinds) => kinds.to_vec(),
        Type::Runtime => RUNTIMES.to_vec(),
        Type::List(inner) | Type::Map(inner) => sections_of(inner),
        Type::Either(first, second) => {
            let mut both = sections_of(first);
            both.extend(sections_of(second));
            both
        }
        Type::Document => vec![("", &DOCUMENT)],
        Type::Custom(custom) => custom.section.map(|section| ("", section)).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// The Kubernetes object that a value of this type is or holds.
pub fn object_of(ty: &'static Type) -> Option<&'static KubernetesObject> {
    match ty {
        Type::Kubernetes(object) => Some(object),
        Type::List(inner) | Type::Map(inner) => object_of(inner),
        Type::Either(first, second) => object_of(first).or_else(|| object_of(second)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_fields() {
        for (path, canonical, ty) in [
            ("operation.run.job.container", "run.job.container", "container"),
            ("run.container.image", "run.container.image", "container"),
            ("run.container.image_pull_policy", "run.container.imagePullPolicy", "container"),
            ("run.container.resources.limits.cpu", "run.container.resources.limits.cpu", "container"),
            ("run.container.nothing", "", ""),
            ("inputs[0].is_optional", "inputs.isOptional", "Bool"),
            ("matrix.grid.params.lr.value", "matrix.grid.params.lr.value", ""),
            ("params.lr.to_env", "params.lr.toEnv", "Str"),
            ("params.value.value", "params.value.value", "Any"),
            ("component.run.environment.host_pid", "run.environment.hostPID", "Bool"),
            ("nothing", "", ""),
        ] {
            match find(path) {
                None => assert_eq!(canonical, "", "{path}"),
                Some(found) => {
                    assert_eq!(found.path, canonical);
                    let shown = format!("{:?}", found.field.map(|field| &field.ty));
                    assert!(shown.contains(ty), "{path}: {shown}");
                }
            }
        }
        assert_eq!(find("run").map(|found| found.sections.len()), Some(RUNTIMES.len()));
        assert_eq!(find("").map(|found| found.sections[0].1.name), Some("polyaxonfile"));
    }

    #[test]
    fn every_place_is_found_again() {
        let places = places();
        assert!(places.len() > 300, "{}", places.len());
        for place in places {
            let found = find(&place.path).unwrap_or_else(|| panic!("{} leads nowhere", place.path));
            assert_eq!(found.field.map(|field| field.name), Some(place.field.name), "{}", place.path);
        }
    }
}
