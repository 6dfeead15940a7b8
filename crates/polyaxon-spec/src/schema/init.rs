//! `init`: what happens before the main container starts.

use super::kubernetes::CONTAINER;
use super::{ARTIFACTS, DOCKERFILE, FILE, GIT, TENSORBOARD};
use crate::decode::report;
use crate::diagnostic::{Diagnostic, codes};
use crate::node::{Key, Node, Value};
use crate::section::{Section, Type, field};

const PATHS: Type = Type::Either(&Type::Str, &Type::List(&Type::Either(&Type::Str, &Type::List(&Type::Str))));

pub static INIT: Section = Section {
    name: "init step",
    doc: "Something to fetch or to do before the main container starts; each step does one thing.",
    fields: &[
        field("artifacts", Type::Section(&ARTIFACTS), "Files and folders of a store to fetch.", "{files: [train.csv]}")
            .template(),
        field("paths", PATHS, "Paths of a store to fetch, each a path or a pair of source and destination.", "[data]")
            .template(),
        field("git", Type::Section(&GIT), "A repository to clone.", "{url: https://github.com/org/repo}").template(),
        field("dockerfile", Type::Section(&DOCKERFILE), "A Dockerfile to generate.", "{image: python:3.12}").template(),
        field("file", Type::Section(&FILE), "A file to write.", "{content: print(1), filename: main.py}").template(),
        field("tensorboard", Type::Section(&TENSORBOARD), "Event files to fetch.", "{port: 6006}").template(),
        field(
            "lineageRef",
            Type::Str,
            "An artifact of a run to fetch.",
            "281081ab11794df0867e80d6ff20f960:artifactName",
        ),
        field("modelRef", Type::Str, "A model version to fetch.", "project:version"),
        field("artifactRef", Type::Str, "An artifact version to fetch.", "project:version"),
        field("connection", Type::Str, "The connection to use.", "s3-data"),
        field("path", Type::Str, "Where to put the result.", "/data"),
        field(
            "container",
            Type::Kubernetes(&CONTAINER),
            "A container to run, or settings of the one that fetches.",
            "{image: busybox}",
        ),
    ],
    check: Some(check_one_thing),
};

const THINGS: [&str; 9] =
    ["artifacts", "paths", "git", "dockerfile", "file", "tensorboard", "lineageRef", "modelRef", "artifactRef"];

fn check_one_thing(init: &mut Node, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    let Some(map) = init.as_map() else { return };
    let things: Vec<(&Key, &Node)> =
        map.iter().filter(|(key, value)| THINGS.contains(&key.text.as_str()) && is_set(value)).collect();
    if let [(first, _), (second, _), ..] = things[..] {
        diagnostics.push(
            Diagnostic::error(codes::INIT_SCHEMAS, second.span, format!("`{path}` does more than one thing"))
                .label(format!("`{}` is the second thing", second.text))
                .related(first.span, format!("`{}` is the first", first.text))
                .path(report::join(path, &second.text))
                .help("write one list item for each"),
        );
    }
    let has_connection = map.get("connection").is_some_and(is_set);
    let git_without_url = things.iter().find(|(key, value)| key.text == "git" && !value.get("url").is_some_and(is_set));
    if let Some((git, _)) = git_without_url.filter(|_| !has_connection) {
        diagnostics.push(
            Diagnostic::error(
                codes::INIT_SCHEMAS,
                git.span,
                format!("`{path}.git` has neither a `url` nor a connection"),
            )
            .label("what should be cloned?")
            .path(report::join(path, "git"))
            .help("add `url:` below `git`, or `connection:` beside it"),
        );
    }
}

fn is_set(node: &Node) -> bool {
    match &node.value {
        Value::Null => false,
        Value::Str(text) => !text.is_empty(),
        Value::List(items) => !items.is_empty(),
        _ => true,
    }
}
