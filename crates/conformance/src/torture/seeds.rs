//! The inputs that mutation starts from, taken from the corpus.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use polyaxon_spec::node::{Node, Value};
use polyaxon_spec::span::SourceId;
use polyaxon_spec::{template, yaml};
use serde_json::Value as Json;

use super::TARGETS;
use crate::case::Case;
use crate::corpus;

/// The inputs for a target, each once.
pub fn seeds(target: &str) -> Result<Vec<Vec<u8>>> {
    let mut seeds = BTreeSet::new();
    for case in corpus::cases()? {
        match target {
            "yaml" | "decode" => seeds.extend(case.files.0.values().cloned()),
            "template" => each_document(&case, &mut |node| {
                if let Some(text) = node.as_str().filter(|text| template::is_template(text)) {
                    seeds.insert(text.as_bytes().to_vec());
                }
            }),
            "refs" => each_document(&case, &mut |node| {
                if let (Some(entity), Some(value)) = (word(node, "ref"), word(node, "value")) {
                    seeds.insert(format!("{entity}\n{value}").into_bytes());
                    seeds.insert(
                        format!("{entity}\n{value}\nb.yaml\ndir/c.yaml\ndeep/d.yaml\n../../a.yaml").into_bytes(),
                    );
                }
                if let Some(path) = word(node, "pathRef") {
                    seeds.insert(format!("ops.train\noutputs.loss\n{path}").into_bytes());
                }
            }),
            "params" => {
                let hyper_params = words(&case.case["hparams"]).map(|word| format!("-{word}"));
                for (index, word) in words(&case.case["params"]).map(str::to_owned).chain(hyper_params).enumerate() {
                    seeds.insert([&[index as u8][..], word.as_bytes()].concat());
                }
                each_document(&case, &mut |node| {
                    if let (Some(ty), Some(value)) = (word(node, "type"), node.get("value").filter(|it| !it.is_null()))
                    {
                        let ty = super::values::type_byte(ty);
                        seeds.insert([&[ty][..], format!("x={}", text(value)).as_bytes()].concat());
                    }
                    if let (Some(kind), Some(value)) = (word(node, "kind"), node.get("value")) {
                        seeds.insert(format!("\0-lr={kind}:{}", text(value)).into_bytes());
                    }
                });
            }
            other => {
                let known: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
                bail!("there is no target `{other}`, only {}", known.join(", "));
            }
        }
    }
    Ok(seeds.into_iter().collect())
}

/// Writes the inputs for a target, one a file.
pub fn write_seeds(target: &str, folder: &Path) -> Result<usize> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let seeds = seeds(target)?;
    for (index, seed) in seeds.iter().enumerate() {
        let path = folder.join(format!("seed-{index:04}"));
        fs::write(&path, seed).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(seeds.len())
}

fn each_document(case: &Case, visit: &mut dyn FnMut(&Node)) {
    for text in case.files.0.values() {
        if let Ok(document) = yaml::read(SourceId::NONE, text) {
            each(&document.node, visit);
        }
    }
}

fn each(node: &Node, visit: &mut dyn FnMut(&Node)) {
    visit(node);
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| each(item, visit)),
        Value::Map(map) => map.iter().for_each(|(_, value)| each(value, visit)),
        _ => {}
    }
}

fn word<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    node.get(key).and_then(Node::as_str)
}

fn words(list: &Json) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Json::as_str)
}

fn text(node: &Node) -> String {
    node.as_str().map_or_else(|| node.to_json().to_string(), str::to_owned)
}
