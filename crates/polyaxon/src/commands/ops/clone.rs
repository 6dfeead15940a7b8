//! `polyaxon ops restart` and `resume`: runs made from other runs.

use polyaxon_client::runs::{self, Changes, CloneKind};
use polyaxon_model::JsonMap;
use polyaxon_spec::diagnostic::Diagnostic;
use polyaxon_spec::node::{Map, Node};
use polyaxon_spec::span::Sources;
use polyaxon_spec::yaml;
use serde_json::{Value, json};

use crate::afterwards::afterwards;
use crate::args::global::{FollowArgs, Target};
use crate::args::ops::{CloneArgs, RestartArgs, ResumeArgs};
use crate::commands::ops::{Group, open, show, uuid};
use crate::commands::project::comma_list;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run_reference::{self, short};
use crate::session::{Context, block_on};

/// How a run is made from another one.
struct Way<'a> {
    kind: CloneKind,
    changes: &'a CloneArgs,
    part: Part,
    copies: Option<Value>,
    follow: FollowArgs,
}

/// The operations of a dag that run again; all, when none is named.
#[derive(Default)]
struct Part {
    from: Vec<String>,
    only: Vec<String>,
}

pub(super) fn restart(context: &Context, group: &Group, args: &RestartArgs) -> Result<Exit, Failure> {
    let names_copies = !args.copy_dir.is_empty() || !args.copy_file.is_empty();
    let way = Way {
        kind: if args.copy || names_copies { CloneKind::Copy } else { CloneKind::Restart },
        changes: &args.changes,
        part: Part { from: args.from.clone(), only: args.only.clone() },
        copies: names_copies.then(|| json!({ "dirs": args.copy_dir, "files": args.copy_file })),
        follow: args.follow,
    };
    clone(context, group, &args.target, way)
}

pub(super) fn resume(context: &Context, group: &Group, args: &ResumeArgs) -> Result<Exit, Failure> {
    let way = Way {
        kind: CloneKind::Resume,
        changes: &args.changes,
        part: Part::default(),
        copies: None,
        follow: args.follow,
    };
    clone(context, group, &args.target, way)
}

fn clone(context: &Context, group: &Group, target: &Target, way: Way<'_>) -> Result<Exit, Failure> {
    let Way { kind, changes: args, part, copies, follow } = way;
    let mut meta = JsonMap::new();
    meta.extend(copies.map(|copies| ("copy_artifacts".to_owned(), copies)));
    meta.extend(args.recompile.then(|| ("recompile".to_owned(), true.into())));
    let changes = Changes {
        content: content(args)?,
        name: args.name.clone(),
        description: args.description.clone(),
        tags: args.tags.as_deref().map(comma_list),
        meta_info: (!meta.is_empty()).then_some(meta.into()),
        from: part.from,
        only: part.only,
    };
    let format = &args.format.output;
    let session = open(context, group, target)?;
    block_on(async {
        let uuid = uuid(&session, group, target).await?;
        let run = match runs::clone(&session.client, &session.place, &uuid, kind, &changes).await {
            Ok(run) => run,
            Err(error) => return Err(session.explain(error, Some(&uuid)).await),
        };
        context.printer.note(&match kind {
            CloneKind::Restart => format!("Run {} starts again as {}", short(&uuid), short(run.uuid())),
            CloneKind::Copy => format!("Run {} starts again as {}, with its files", short(&uuid), short(run.uuid())),
            CloneKind::Resume => format!("Run {} goes on", short(&uuid)),
        });
        let run = show::again(&session, run.uuid()).await?;
        run_reference::remember(&session, &run);
        // The details of a run that is followed would be old before they are read.
        if !(follow.is_asked() && format.is_for_people()) {
            context.printer.data(&show::run_output(&session, &run, None), format)?;
        }
        Ok(afterwards(&session, follow, format, &run).await?.unwrap_or(Exit::Ok))
    })
}

/// The changes of all files as one patch; a later file wins.
fn content(args: &CloneArgs) -> Result<Option<String>, Failure> {
    let mut merged: Option<Node> = None;
    let mut sources = Sources::default();
    for path in &args.files {
        let text =
            std::fs::read(path).map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))?;
        let source = sources.add(path.display().to_string(), String::from_utf8_lossy(&text));
        let document = match yaml::read(source, &text) {
            Ok(document) => document,
            Err(diagnostics) => return Err(Failure::invalid(sources, diagnostics)),
        };
        if document.node.as_map().is_none() {
            let problem = Diagnostic::error(
                polyaxon_spec::diagnostic::codes::NOT_A_MAPPING,
                document.node.span,
                format!("expected a mapping of changes, found a {}", document.node.kind_name()),
            );
            return Err(Failure::invalid(sources, vec![problem]));
        }
        merged = Some(match merged {
            Some(base) => over(base, document.node),
            None => document.node,
        });
    }
    Ok(merged.map(|node| node.to_json().to_string()))
}

/// Mappings merge, everything else is replaced.
fn over(base: Node, patch: Node) -> Node {
    match (base.as_map(), patch.as_map()) {
        (Some(base), Some(patch)) => {
            let mut merged: Map = base.clone();
            for (key, value) in patch.iter() {
                let value = match base.get(&key.text) {
                    Some(old) => over(old.clone(), value.clone()),
                    None => value.clone(),
                };
                merged.insert_key(key.clone(), value);
            }
            Node::map(merged)
        }
        _ => patch,
    }
}
