//! A dag that is started again from some of its operations: which of them run, and which keep what they did earlier.
//!
//! Invariants:
//! * what runs again sees the same results as before of everything that does not;
//! * nothing keeps a result that follows from one that is made again.
//!
//! Must not know documents; the graph comes as names.

use std::collections::{BTreeMap, BTreeSet};

use polyaxon_model::JsonMap;
use polyaxon_model::ids::RunId;
use polyaxon_model::status::Status;
use polyaxon_spec::likeness;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// Where a run remembers that it runs only in part.
const KEY: &str = "rerun";

/// What a dag runs again, and of which run it keeps the rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rerun {
    pub of: RunId,
    #[serde(flatten)]
    pub selection: Selection,
}

/// Operations by name; those of a dag in a dag as `OUTER.INNER`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// These and everything after them.
    From(Vec<String>),
    /// These and nothing else.
    Only(Vec<String>),
}

/// An operation of the dag.
#[derive(Clone, Debug)]
pub struct Operation<'a> {
    pub name: &'a str,
    pub is_dag: bool,
    pub upstream: Vec<&'a str>,
}

/// What an operation did in the earlier run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Earlier {
    pub run: RunId,
    pub status: Status,
}

/// What becomes of an operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// It runs as in any dag.
    #[default]
    Run,
    /// It runs, whatever equal runs there are.
    Again,
    /// It is a dag that runs again in part.
    Within(Rerun),
    /// Its earlier result stays.
    Keep(RunId),
    /// It does not run; the text says why.
    Skip(&'static str),
}

/// Why a dag cannot be started again like this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("The dag has no operation `{name}`; {hint}")]
    Unknown { name: String, hint: String },
    #[error("`{outer}` is no dag, so there is no operation `{inner}` in it.")]
    NotADag { outer: String, inner: String },
    #[error(
        "`{needed}` comes before `{selected}` and has no result to keep, it {is}. Start from `{needed}`, or resume the \
         run."
    )]
    NoResult { needed: String, selected: String, is: String },
}

impl Rerun {
    /// What the record of a run says.
    pub fn of_run(meta_info: &JsonMap) -> Option<Rerun> {
        serde_json::from_value(meta_info.get(KEY)?.clone()).ok()
    }

    /// Writes it into the record of a run.
    pub fn remember(&self, meta_info: &mut JsonMap) {
        meta_info.insert(KEY.to_owned(), serde_json::to_value(self).unwrap_or(Json::Null));
    }
}

impl Selection {
    fn names(&self) -> &[String] {
        match self {
            Selection::From(names) | Selection::Only(names) => names,
        }
    }

    fn with(&self, names: Vec<String>) -> Selection {
        match self {
            Selection::From(_) => Selection::From(names),
            Selection::Only(_) => Selection::Only(names),
        }
    }
}

/// Decides about every operation of a dag. `earlier` has those that the earlier run knew, by name.
pub fn plan<'a>(
    operations: &'a [Operation<'a>],
    earlier: &BTreeMap<String, Earlier>,
    selection: &Selection,
) -> Result<BTreeMap<&'a str, Part>, Refusal> {
    let (whole, inner) = chosen(operations, selection)?;
    let roots: BTreeSet<&str> = whole.iter().chain(inner.keys()).copied().collect();
    let graph = Graph::of(operations);
    let after = reachable(&roots, &graph.downstream);
    let before = reachable(&roots, &graph.upstream);
    let mut parts = BTreeMap::new();
    for operation in operations {
        let name = operation.name;
        let follows = after.contains(name);
        let past = earlier.get(name);
        let part = match selection {
            _ if whole.contains(name) => Part::Again,
            Selection::From(_) if follows => Part::Again,
            _ if inner.contains_key(name) => {
                let names = inner.get(name).cloned().unwrap_or_default();
                past.map_or(Part::Again, |past| Part::Within(Rerun { of: past.run, selection: selection.with(names) }))
            }
            Selection::Only(_) if follows => Part::Skip("it comes after what runs again"),
            _ => match (past, past.map(|past| past.status)) {
                (Some(past), Some(Status::Succeeded)) => Part::Keep(past.run),
                (_, Some(Status::Skipped)) => Part::Skip("it was skipped in the earlier run"),
                (_, status) if before.contains(name) => {
                    return Err(Refusal::NoResult {
                        needed: name.to_owned(),
                        selected: graph.after(name, &roots).to_owned(),
                        is: status.map_or("was not in the earlier run".to_owned(), |status| format!("is {status}")),
                    });
                }
                _ => match selection {
                    Selection::From(_) => Part::Run,
                    Selection::Only(_) => Part::Skip("it has no earlier result and was not chosen"),
                },
            },
        };
        parts.insert(name, part);
    }
    Ok(parts)
}

/// The operations that are named themselves, and those that have a named one inside, with the names of these.
type Chosen<'a> = (BTreeSet<&'a str>, BTreeMap<&'a str, Vec<String>>);

fn chosen<'a>(operations: &'a [Operation<'a>], selection: &Selection) -> Result<Chosen<'a>, Refusal> {
    let find = |name: &str| operations.iter().find(|operation| operation.name == name);
    let mut whole = BTreeSet::new();
    let mut inner: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for name in selection.names() {
        if let Some(operation) = find(name) {
            whole.insert(operation.name);
            continue;
        }
        let outer =
            name.match_indices('.').filter_map(|(at, _)| Some((find(&name[..at])?, &name[at + 1..]))).next_back();
        match outer {
            Some((operation, rest)) if operation.is_dag => {
                inner.entry(operation.name).or_default().push(rest.to_owned());
            }
            Some((operation, rest)) => {
                return Err(Refusal::NotADag { outer: operation.name.to_owned(), inner: rest.to_owned() });
            }
            None => {
                let known: Vec<&str> = operations.iter().map(|operation| operation.name).collect();
                let hint = match likeness::closest(name, known.iter().copied(), 2) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("it has {}.", likeness::listed(&known)),
                };
                return Err(Refusal::Unknown { name: name.clone(), hint });
            }
        }
    }
    inner.retain(|name, _| !whole.contains(name));
    Ok((whole, inner))
}

type Relation<'a> = BTreeMap<&'a str, Vec<&'a str>>;

struct Graph<'a> {
    upstream: Relation<'a>,
    downstream: Relation<'a>,
}

impl<'a> Graph<'a> {
    fn of(operations: &'a [Operation<'a>]) -> Graph<'a> {
        let mut graph = Graph { upstream: BTreeMap::new(), downstream: BTreeMap::new() };
        for operation in operations {
            graph.upstream.insert(operation.name, operation.upstream.clone());
            for upstream in &operation.upstream {
                graph.downstream.entry(upstream).or_default().push(operation.name);
            }
        }
        graph
    }

    /// One of these that comes after an operation.
    fn after(&self, name: &'a str, which: &BTreeSet<&'a str>) -> &'a str {
        let after = reachable(&BTreeSet::from([name]), &self.downstream);
        after.into_iter().find(|name| which.contains(name)).unwrap_or(name)
    }
}

/// Everything that a relation leads to, the beginnings left out unless it leads back to them.
fn reachable<'a>(from: &BTreeSet<&'a str>, next: &Relation<'a>) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = from.iter().copied().collect();
    while let Some(name) = open.pop() {
        let others = next.get(name).into_iter().flatten();
        open.extend(others.filter(|other| found.insert(**other)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRAPH: &[(&str, &[&str])] =
        &[("load", &[]), ("clean", &["load"]), ("train", &["clean"]), ("report", &["train"]), ("docs", &[])];

    fn operations() -> Vec<Operation<'static>> {
        let operation = |(name, upstream): &(&'static str, &'static [&'static str])| Operation {
            name,
            is_dag: *name == "clean",
            upstream: upstream.to_vec(),
        };
        GRAPH.iter().map(operation).collect()
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// One letter for each operation: what becomes of it.
    fn planned(selection: &Selection, statuses: &[Status]) -> Result<String, String> {
        let run = |at: usize| RunId::new(uuid::Uuid::from_u128(at as u128));
        let earlier = GRAPH.iter().zip(statuses).enumerate();
        let earlier = earlier
            .map(|(at, ((name, _), status))| ((*name).to_owned(), Earlier { run: run(at), status: *status }))
            .collect();
        let operations = operations();
        let parts = plan(&operations, &earlier, selection).map_err(|refusal| refusal.to_string())?;
        Ok(operations
            .iter()
            .map(|operation| match &parts[operation.name] {
                Part::Run => 'r',
                Part::Again => 'A',
                Part::Within(_) => 'W',
                Part::Keep(_) => 'k',
                Part::Skip(_) => '-',
            })
            .collect())
    }

    #[test]
    fn what_was_chosen_runs_and_the_rest_keeps_its_results() {
        use Status::{Failed, Skipped, Succeeded, UpstreamFailed};
        let done = [Succeeded; 5];
        let broken = [Succeeded, Succeeded, Failed, UpstreamFailed, Failed];
        for (selection, statuses, expected) in [
            (Selection::From(names(&["train"])), done, "kkAAk"),
            (Selection::Only(names(&["train"])), done, "kkA-k"),
            (Selection::From(names(&["train"])), broken, "kkAAr"),
            (Selection::Only(names(&["train"])), broken, "kkA--"),
            (Selection::From(names(&["load"])), broken, "AAAAr"),
            (Selection::From(names(&["train", "docs"])), broken, "kkAAA"),
            (Selection::From(names(&["clean.fit"])), done, "kWAAk"),
            (Selection::Only(names(&["clean.fit"])), done, "kW--k"),
            (Selection::From(names(&["clean.fit", "clean"])), done, "kAAAk"),
            (Selection::From(names(&["train"])), [Skipped, Succeeded, Succeeded, Succeeded, Skipped], "-kAA-"),
        ] {
            assert_eq!(planned(&selection, &statuses).as_deref(), Ok(expected), "{selection:?} {statuses:?}");
        }
    }

    #[test]
    fn refusals_say_what_is_missing() {
        use Status::{Failed, Stopped, Succeeded, UpstreamFailed};
        let broken = [Succeeded, Failed, UpstreamFailed, UpstreamFailed, Stopped];
        for (name, expected) in [
            ("trian", "The dag has no operation `trian`; did you mean `train`?"),
            ("x", "The dag has no operation `x`; it has load, clean, train, report, docs."),
            ("load.x", "`load` is no dag, so there is no operation `x` in it."),
            (
                "report",
                "`clean` comes before `report` and has no result to keep, it is failed. Start from `clean`, or resume the \
                 run.",
            ),
        ] {
            assert_eq!(planned(&Selection::From(names(&[name])), &broken), Err(expected.to_owned()));
        }
    }

    #[test]
    fn the_record_of_a_run_remembers_it() {
        let rerun = Rerun { of: RunId::new(uuid::Uuid::from_u128(7)), selection: Selection::From(names(&["train"])) };
        let mut meta_info = JsonMap::new();
        rerun.remember(&mut meta_info);
        assert_eq!(meta_info["rerun"]["from"], serde_json::json!(["train"]));
        assert_eq!(Rerun::of_run(&meta_info), Some(rerun));
        assert_eq!(Rerun::of_run(&JsonMap::new()), None);
    }
}
