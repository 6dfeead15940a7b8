//! Finds the field that a dotted path such as `operation.run.job.container` names.

use super::{DOCUMENT, DOCUMENT_KINDS, RUNTIMES};
use crate::section::{Field, Section, Type};

/// Where a path leads.
#[derive(Debug)]
pub struct Found {
    /// The path in its canonical spelling.
    pub path: String,
    /// The last field of the path; `None` for the document itself and for a kind of a section.
    pub field: Option<&'static Field>,
    /// The sections that the path leads into: none for plain values, several for a choice of kinds.
    pub sections: Vec<(&'static str, &'static Section)>,
}

/// Walks from the document along names of fields and, where there is a choice, of kinds. Indexes (`inputs[0]`,
/// `inputs.0`) are passed over, so the paths of diagnostics can be given.
pub fn find(path: &str) -> Option<Found> {
    let mut found = Found { path: String::new(), field: None, sections: vec![("", &DOCUMENT)] };
    let path = path.replace('[', ".").replace(']', "");
    let mut is_map = false;
    for (position, name) in path.split('.').filter(|name| !name.is_empty()).enumerate() {
        if name.bytes().all(|byte| byte.is_ascii_digit()) || (position == 0 && DOCUMENT_KINDS.contains(&name)) {
            continue;
        }
        let kind = found.sections.iter().find(|(kind, _)| *kind == name).copied();
        let field = found.sections.iter().find_map(|(_, section)| section.field(name));
        match (kind, field) {
            (Some(kind), _) => {
                found.path = joined(&found.path, name);
                found.field = None;
                found.sections = vec![kind];
            }
            (None, Some(field)) => {
                found.path = joined(&found.path, field.name);
                found.field = Some(field);
                found.sections = sections_of(&field.ty);
                is_map = matches!(field.ty, Type::Map(_));
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

fn joined(path: &str, name: &str) -> String {
    crate::decode::report::join(path, name)
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
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_fields() {
        for (path, canonical, ty) in [
            ("operation.run.job.container", "run.job.container", "container"),
            ("run.container.image", "", ""),
            ("inputs[0].is_optional", "inputs.isOptional", "Bool"),
            ("matrix.grid.params.lr.value", "matrix.grid.params.lr.value", ""),
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
}
