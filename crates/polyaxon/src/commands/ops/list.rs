//! `polyaxon ops ls`: runs of a project as a table with chosen columns.

use std::collections::BTreeSet;
use std::path::PathBuf;

use polyaxon_client::record::{Page, Run};
use polyaxon_client::runs::{self, Listing};
use serde_json::{Value, json};

use crate::args::ops::LsArgs;
use crate::commands::ops::{Group, refuse_offline};
use crate::commands::project::{comma_list, words};
use crate::config;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::table::{Column, Table};
use crate::output::{Human, Output, style, time};
use crate::run_reference::short;
use crate::session::{Context, Server, Session, block_on};

/// Columns as keys of a row; the last ones are shown by `-o wide` only.
const COLUMNS: &[&str] = &["uuid", "name", "status", "kind", "runtime", "created_at", "duration", "tags"];
const WIDE_COLUMNS: &[&str] = &["started_at", "finished_at", "wait_time", "updated_at"];

pub(crate) fn run(context: &Context, group: &Group, args: &LsArgs) -> Result<Exit, Failure> {
    refuse_offline(&args.offline)?;
    let session =
        Session::open(context, Server::Configured, args.project.project.as_deref().or(group.project.as_deref()))?;
    let listing = Listing { query: query(args), sort: args.sort.clone(), limit: Some(args.limit), offset: args.offset };
    let page = block_on(async {
        match runs::list(&session.client, &session.place, &listing).await {
            Ok(page) => Ok(page),
            // The default project is made by the first run; before that it is only empty.
            Err(error) if error.is_not_found() && session.is_default_project() => Ok(empty()),
            Err(error) => Err(session.explain(error, None).await),
        }
    })?;
    let table = table(args, &page);
    notes(context, args, &page);
    let names = page.rows.iter().map(|run| run.uuid().to_owned()).collect();
    if args.to_csv {
        let path = PathBuf::from("results.csv");
        config::replace(&path, (table.csv() + "\n").as_bytes())
            .map_err(|error| Failure::new(format!("cannot write {}: {error}", path.display())))?;
        context.printer.note(&format!("Wrote {}", path.display()));
        return Ok(Exit::Ok);
    }
    context.printer.data(&Output { json: page.json, human: Human::Table(table), names }, &args.format.output)?;
    Ok(Exit::Ok)
}

fn query(args: &LsArgs) -> Option<String> {
    let all = args.all.then(|| "created_at:_any_".to_owned());
    let parts: Vec<String> = args.query.clone().into_iter().chain(all).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn empty() -> Page<Run> {
    Page { json: json!({ "count": 0, "next": null, "previous": null, "results": [] }), rows: Vec::new() }
}

fn table(args: &LsArgs, page: &Page<Run>) -> Table {
    let mut keys: Vec<(String, bool)> = match &args.columns {
        Some(columns) => comma_list(columns).into_iter().map(|key| (key, false)).collect(),
        None => {
            let normal = COLUMNS.iter().map(|key| ((*key).to_owned(), false));
            normal.chain(WIDE_COLUMNS.iter().map(|key| ((*key).to_owned(), true))).collect()
        }
    };
    if args.io {
        for (prefix, field) in [("in", "inputs"), ("out", "outputs")] {
            let names: BTreeSet<&String> =
                page.rows.iter().filter_map(|run| run.0.get(field)?.as_object()).flat_map(|map| map.keys()).collect();
            keys.extend(names.into_iter().map(|name| (format!("{prefix}.{name}"), false)));
        }
    }
    let for_people = args.format.output.is_for_people() && !args.to_csv;
    let cells = |run: &Run| -> Vec<String> {
        keys.iter().map(|(key, _)| if for_people { human(run, key) } else { plain(run, key) }).collect()
    };
    let rows: Vec<Vec<String>> = page.rows.iter().map(cells).collect();
    // Columns that nobody asked for and that hold nothing only make the table wide.
    let shown: Vec<usize> = (0..keys.len())
        .filter(|at| args.columns.is_some() || !for_people || rows.iter().any(|row| !row[*at].is_empty()))
        .collect();
    let columns = shown.iter().map(|at| Column {
        name: title(&keys[*at].0).to_owned(),
        key: keys[*at].0.clone(),
        wide: keys[*at].1,
    });
    let mut table = Table::new(columns.collect());
    for row in rows {
        table.row(shown.iter().map(|at| row[*at].clone()).collect());
    }
    table
}

fn title(key: &str) -> &str {
    key.strip_suffix("_at").unwrap_or(key)
}

fn field<'a>(run: &'a Run, key: &str) -> Option<&'a Value> {
    let value = match key.split_once('.') {
        Some(("in" | "inputs" | "params", name)) => run.0.get("inputs")?.get(name),
        Some(("out" | "outputs" | "metrics", name)) => run.0.get("outputs")?.get(name),
        _ => run.0.get(key),
    };
    value.filter(|value| !value.is_null())
}

fn plain(run: &Run, key: &str) -> String {
    match field(run, key) {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(list @ Value::Array(_)) => words(Some(list)),
        Some(other) => other.to_string(),
    }
}

fn human(run: &Run, key: &str) -> String {
    let text = plain(run, key);
    match (key, field(run, key)) {
        ("uuid", _) => short(&text).to_owned(),
        ("status", Some(_)) => style::symbol(run.status_word()),
        ("duration" | "wait_time", Some(value)) => value.as_f64().map(time::seconds).unwrap_or(text),
        (_, Some(_)) if key.ends_with("_at") => time::ago(&text, jiff::Timestamp::now()),
        _ => text,
    }
}

fn notes(context: &Context, args: &LsArgs, page: &Page<Run>) {
    let count = page.json.get("count").and_then(Value::as_u64).unwrap_or_default();
    let first = args.offset.unwrap_or(0);
    let shown = page.rows.len() as u64;
    if shown == 0 {
        let what = if args.query.is_some() { "No runs match the query" } else { "No runs" };
        let when = if args.all || args.query.as_deref().is_some_and(|query| query.contains("created_at")) {
            ""
        } else {
            " of the last 30 days; --all looks further back"
        };
        context.printer.note(&format!("{what}{when}"));
    } else if count > first + shown {
        context.printer.note(&format!(
            "Showing {}-{} of {count}; --limit and --offset show more",
            first + 1,
            first + shown
        ));
    }
}
