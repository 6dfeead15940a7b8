//! Values with fields of their own, which init steps and typed inputs share (spec §7).

use crate::decode::{items, read, report};
use crate::diagnostic::Diagnostic;
use crate::node::Node;
use crate::scalar;
use crate::section::{CustomType, Section, Type, field};

/// A path, or a pair of source and destination.
const PATHS: Type = Type::List(&Type::Either(&Type::Str, &Type::List(&Type::Str)));

/// What a file of a run is, for lineage.
pub const ARTIFACT_KINDS: &[&str] = &[
    "model",
    "audio",
    "video",
    "histogram",
    "image",
    "tensor",
    "dataframe",
    "chart",
    "csv",
    "tsv",
    "psv",
    "ssv",
    "metric",
    "env",
    "html",
    "text",
    "file",
    "dir",
    "dockerfile",
    "docker_image",
    "data",
    "coderef",
    "table",
    "tensorboard",
    "curve",
    "confusion",
    "analysis",
    "iteration",
    "markdown",
    "system",
    "artifact",
    "span",
];

pub static GIT: Section = Section {
    name: "git",
    doc: "A git repository.",
    fields: &[
        field("url", Type::Str, "The address of the repository.", "https://github.com/org/repo"),
        field("revision", Type::Str, "The branch, tag or commit.", "main"),
        field("flags", Type::List(&Type::Str), "Options for git.", "[\"--depth 1\"]").template(),
    ],
    check: None,
};

pub static ARTIFACTS: Section = Section {
    name: "artifacts",
    doc: "Files and folders of the artifacts store.",
    fields: &[
        field("files", PATHS, "Files, each a path or a pair of source and destination.", "[data/train.csv]").template(),
        field("dirs", PATHS, "Folders, each a path or a pair of source and destination.", "[data]").template(),
        field("workers", Type::IntStrict, "How many copies run side by side.", "4").template(),
    ],
    check: None,
};

pub static DOCKERFILE: Section = Section {
    name: "dockerfile",
    doc: "A Dockerfile to generate.",
    fields: &[
        field("image", Type::Str, "The image to start from.", "python:3.12").required(),
        field(
            "env",
            Type::Either(&Type::AnyMap, &Type::List(&Type::List(&Type::Any))),
            "Variables to set.",
            "{KEY: value}",
        )
        .template(),
        field("path", Type::List(&Type::Str), "Folders to add to the PATH.", "[/opt/tool/bin]").template(),
        field("copy", PATHS, "What to copy before `run`.", "[[requirements.txt, /code]]").template(),
        field("postRunCopy", PATHS, "What to copy after `run`.", "[[src, /code]]").template(),
        field("run", Type::List(&Type::Str), "Commands to run.", "[pip install -r requirements.txt]").template(),
        field("langEnv", Type::Str, "The language setting.", "en_US.UTF-8"),
        field("uid", Type::Int, "The user id to create.", "1000").template(),
        field("gid", Type::Int, "The group id to create.", "1000").template(),
        field("username", Type::Str, "The name of the user.", "worker"),
        field("filename", Type::Str, "The name of the generated file.", "Dockerfile").default("Dockerfile"),
        field("workdir", Type::Str, "The working directory.", "/code").default("/code"),
        field("workdirPath", Type::Str, "The folder to copy into the working directory.", "./src"),
        field("shell", Type::Str, "The shell of `run`.", "/bin/bash").default("/bin/bash"),
    ],
    check: Some(check_image),
};

fn check_image(dockerfile: &mut Node, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    let Some(image) = dockerfile.get("image").filter(|image| !crate::io::is_image(image)) else { return };
    let path = report::join(path, "image");
    diagnostics.push(report::wrong_value(image, &path, "a container image such as `python:3.12`"));
}

pub static FILE: Section = Section {
    name: "file",
    doc: "A file to write.",
    fields: &[
        field("content", Type::Str, "What the file holds.", "print('hello')").required(),
        field("filename", Type::Str, "The name of the file.", "main.py"),
        field("kind", Type::Enum(ARTIFACT_KINDS), "What the file is, for lineage.", "file").template(),
        field("chmod", Type::Str, "The rights of the file.", "\"+x\""),
    ],
    check: None,
};

pub static TENSORBOARD: Section = Section {
    name: "tensorboard",
    doc: "Event files of runs, for TensorBoard.",
    fields: &[
        field("port", Type::IntStrict, "The port of TensorBoard.", "6006").template(),
        field("uuids", Type::Custom(&UUID_LIST), "The runs to show.", "[8aac02e3a62a4f0aaa257c59da5eab80]").template(),
        field("useNames", Type::Bool, "Shows names instead of UUIDs.", "true").template(),
        field("pathPrefix", Type::Str, "The path of TensorBoard behind a proxy.", "/tensorboard"),
        field("plugins", Type::CsvList, "Plugins to install.", "[tensorboard-plugin-profile]").template(),
    ],
    check: None,
};

pub static EVENT: Section = Section {
    name: "event",
    doc: "A named series of a run.",
    fields: &[
        field("name", Type::Str, "The name of the series.", "loss"),
        field("kind", Type::Str, "What the series holds.", "metric"),
    ],
    check: None,
};

static UUID_LIST: CustomType = CustomType {
    name: "a list of UUIDs",
    read: read_uuids,
    json_schema: r#"{"type": ["array", "string"], "items": {"type": "string"}}"#,
    section: None,
};

fn read_uuids(node: &mut Node, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    if let Ok(value) = scalar::csv_list(node) {
        node.value = value;
    }
    items(
        node,
        path,
        UUID_LIST.name,
        |item, path, diagnostics| read(&Type::Uuid, item, path, diagnostics),
        diagnostics,
    );
}
