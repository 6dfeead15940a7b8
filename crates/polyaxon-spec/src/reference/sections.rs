//! The pages about sections: what they are for, their fields, examples.

use std::collections::HashMap;

use super::pages::{PAGES, Page, Which};
use super::{Document, words};
use crate::schema::{self, Place};
use crate::section::{Field, Section};

/// Paths at which a section is said to stand, at most.
const MOST_PATHS: usize = 3;

/// A section on its page.
struct Entry {
    section: &'static Section,
    heading: String,
    anchor: String,
    file: &'static str,
}

pub(super) fn documents() -> Vec<Document> {
    let entries = entries();
    let places = schema::places();
    let mut documents = vec![Document { path: "polyaxonfile/README.md".to_owned(), text: index(&entries) }];
    documents.extend(PAGES.iter().map(|page| Document {
        path: format!("polyaxonfile/{}", page.file),
        text: page_text(page, &entries, &places),
    }));
    documents
}

/// Every section, on the page that asks for it, or on the page whose sections first lead to it.
fn entries() -> Vec<Entry> {
    let mut homes: HashMap<*const Section, usize> = HashMap::new();
    let mut order: Vec<Vec<&'static Section>> = vec![Vec::new(); PAGES.len()];
    for (at, page) in PAGES.iter().enumerate() {
        for section in page.sections.iter().flat_map(sections_of) {
            homes.insert(section, at);
            order[at].push(section);
        }
    }
    for (at, sections) in order.iter_mut().enumerate() {
        let mut next = 0;
        while let Some(section) = sections.get(next).copied() {
            for (_, inner) in section.fields.iter().flat_map(|field| schema::sections_of(&field.ty)) {
                homes.entry(inner).or_insert_with(|| {
                    sections.push(inner);
                    at
                });
            }
            next += 1;
        }
    }
    let mut entries = Vec::new();
    for (page, sections) in PAGES.iter().zip(order) {
        let mut used: Vec<String> = Vec::new();
        for section in sections {
            let heading = capitalized(section.name);
            let slug = heading.to_lowercase().replace(' ', "-");
            let count = used.iter().filter(|known| **known == slug).count();
            used.push(slug.clone());
            let anchor = if count == 0 { slug } else { format!("{slug}-{count}") };
            entries.push(Entry { section, heading, anchor, file: page.file });
        }
    }
    entries
}

fn sections_of(which: &Which) -> Vec<&'static Section> {
    match which {
        Which::Section(section) => vec![section],
        Which::Kinds(kinds) => kinds.iter().map(|(_, section)| *section).collect(),
        Which::Kind(kinds, name) => {
            kinds.iter().filter(|(kind, _)| kind == name).map(|(_, section)| *section).collect()
        }
    }
}

fn index(entries: &[Entry]) -> String {
    let mut text = String::from(
        "# The polyaxonfile\n\n\
         A polyaxonfile is a YAML or JSON document. A **component** says what can run and which inputs it takes; an\n\
         **operation** says how to run a component: with which params, when, how often, where. Both are one document with\n\
         the fields on the page [Documents](document.md); a short file needs only a few of them:\n\n\
         ```yaml\n\
         kind: component\n\
         name: train\n\
         inputs:\n\
         - {name: epochs, type: int, value: 10}\n\
         run:\n  \
           kind: job\n  \
           container:\n    \
             image: python:3.12\n    \
             command: [python, train.py, \"--epochs={{ epochs }}\"]\n\
         ```\n\n\
         `polyaxon check -f FILE` finds the mistakes in a file, `polyaxon explain FIELD` shows what stands on these pages,\n\
         and `polyaxon schema` prints a JSON Schema for editors.\n\n\
         | page | what it is about |\n|---|---|\n",
    );
    for page in PAGES {
        text.push_str(&format!("| [{}]({}) | {} |\n", page.title, page.file, page.summary));
    }
    text.push_str("\n## Every section\n\n");
    let mut names: Vec<&Entry> = entries.iter().collect();
    names.sort_by_key(|entry| entry.section.name);
    for entry in names {
        text.push_str(&format!("* [{}]({}#{}): {}\n", entry.section.name, entry.file, entry.anchor, entry.section.doc));
    }
    text
}

fn page_text(page: &Page, entries: &[Entry], places: &[Place]) -> String {
    let mut text = format!("# {}\n\n{}\n", page.title, page.intro.trim());
    if !page.example.is_empty() {
        text.push_str(&format!("\n```yaml\n{}\n```\n", page.example.trim()));
    }
    for entry in entries.iter().filter(|entry| entry.file == page.file) {
        text.push_str(&section_text(entry, page, entries, places));
    }
    text.push_str("\n[All pages](README.md)\n");
    text
}

fn section_text(entry: &Entry, page: &Page, entries: &[Entry], places: &[Place]) -> String {
    let link = |section: &'static Section| link(section, page, entries);
    let mut text = format!("\n## {}\n\n{}\n", entry.heading, entry.section.doc);
    let paths = paths_to(entry.section, places);
    if !paths.is_empty() {
        text.push_str(&format!("\nStands at {}.\n", paths.join(", ")));
    }
    text.push_str("\n| field | type | meaning | example |\n|---|---|---|---|\n");
    for field in entry.section.fields {
        let ty = words::of(&field.ty, &link);
        let template = if field.template { ", or a template" } else { "" };
        text.push_str(&format!(
            "| `{}` | {} | {} | `{}` |\n",
            field.name,
            cell(&format!("{ty}{template}")),
            cell(&meaning(field)),
            cell(field.example),
        ));
    }
    text
}

fn meaning(field: &'static Field) -> String {
    let mut text = String::new();
    if field.required {
        text.push_str("**Required.** ");
    }
    text.push_str(field.doc);
    let allowed = words::allowed(&field.ty);
    if allowed.len() > 1 {
        let words: Vec<String> = allowed.iter().map(|word| format!("`{word}`")).collect();
        text.push_str(&format!(" Allowed: {}.", words.join(", ")));
    }
    if let Some(default) = field.default {
        text.push_str(&if default.contains(' ') {
            format!(" Default: {default}.")
        } else {
            format!(" Default: `{default}`.")
        });
    }
    text
}

/// Text in a cell of a table: no line breaks, no bars.
fn cell(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|")
}

fn link(section: &'static Section, page: &Page, entries: &[Entry]) -> String {
    match entries.iter().find(|entry| std::ptr::eq(entry.section, section)) {
        Some(entry) if entry.file == page.file => format!("[{}](#{})", section.name, entry.anchor),
        Some(entry) => format!("[{}]({}#{})", section.name, entry.file, entry.anchor),
        None => section.name.to_owned(),
    }
}

fn paths_to(section: &'static Section, places: &[Place]) -> Vec<String> {
    let mut paths = Vec::new();
    let is_document = std::ptr::eq(section, &raw const schema::DOCUMENT);
    for place in places.iter().filter(|_| !is_document) {
        for (kind, inner) in schema::sections_of(&place.field.ty) {
            if std::ptr::eq(inner, section) {
                let kind = if kind.is_empty() { String::new() } else { format!(" with `kind: {kind}`") };
                paths.push(format!("`{}`{kind}", place.path));
            }
        }
    }
    if paths.len() > MOST_PATHS {
        paths.truncate(MOST_PATHS);
        paths.push("and further places".to_owned());
    }
    paths
}

fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{self, DocumentRole};
    use crate::span::SourceId;
    use crate::yaml;

    #[test]
    fn every_section_has_a_page_and_every_link_a_target() {
        let entries = entries();
        for place in schema::places() {
            assert!(entries.iter().any(|entry| std::ptr::eq(entry.section, place.section)), "{}", place.section.name);
        }
        let documents = documents();
        for document in &documents {
            for target in document.text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
                let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
                let path = if file.is_empty() { document.path.clone() } else { format!("polyaxonfile/{file}") };
                let page = documents.iter().find(|page| page.path == path);
                assert!(page.is_some(), "{}: {target}", document.path);
                let is_known = entries.iter().any(|entry| path.ends_with(entry.file) && entry.anchor == anchor);
                assert!(anchor.is_empty() || is_known, "{}: {target}", document.path);
            }
        }
    }

    #[test]
    fn every_example_is_valid() {
        for page in PAGES.iter().filter(|page| !page.example.is_empty()) {
            let node = yaml::read(SourceId(0), page.example.as_bytes()).unwrap().node;
            let mut problems = Vec::new();
            decode::document(node, DocumentRole::Main, &mut problems);
            assert_eq!(problems, [], "{}", page.file);
        }
    }
}
