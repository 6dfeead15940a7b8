//! Which run a person means: uuid, prefix of it, name, `@last`, `@{2}`, `@-1`, or the one that was used last.

use polyaxon_client::record::{Page, Run};
use polyaxon_client::runs::{self, Listing};
use polyaxon_model::ids::RunId;
use serde_json::Value;

use crate::config::{self, File};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::suggest;

/// The forms of a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Reference {
    Uuid(String),
    /// Hexadecimal digits: the start of a uuid, or else a name.
    Prefix(String),
    Name(String),
    /// One is the newest run. Those that a pipeline made are not counted.
    Newest(u64),
}

const SHORTEST_PREFIX: usize = 4;

/// The uuid of the run that is meant. A full uuid costs no request.
pub(crate) async fn find(session: &Session<'_>, text: Option<&str>) -> Result<String, Failure> {
    let Some(text) = text else { return last_used(session).await };
    match parse(text)? {
        Reference::Uuid(uuid) => Ok(uuid),
        Reference::Newest(number) => newest(session, number).await,
        Reference::Prefix(prefix) => match by_prefix(session, &prefix).await? {
            Some(uuid) => Ok(uuid),
            None => by_name(session, text).await,
        },
        Reference::Name(name) => by_name(session, &name).await,
    }
}

/// Remembers the run for commands that name none, in the file of the official client.
pub(crate) fn remember(session: &Session<'_>, run: &Run) {
    let mut run = run.0.clone();
    run["owner"] = session.place.owner.as_str().into();
    run["project"] = session.place.project.as_str().into();
    // A cache: without it the newest run is meant, which is nearly as good.
    let _ = config::write(session.settings.cache_folder(), File::Run, &run);
}

fn parse(text: &str) -> Result<Reference, Failure> {
    if let Some(rest) = text.strip_prefix('@') {
        let number = match rest {
            "last" => Some(1),
            _ => rest
                .strip_prefix('-')
                .or_else(|| rest.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')))
                .and_then(|number| number.parse().ok())
                .filter(|number| *number > 0),
        };
        return number.map(Reference::Newest).ok_or_else(|| {
            Failure::usage(format!("`{text}` names no run"))
                .help("@last is the newest run (of a pipeline, the pipeline), @{2} or @-2 the one before it, and so on")
        });
    }
    if let Ok(id) = text.parse::<RunId>() {
        return Ok(Reference::Uuid(id.to_hex()));
    }
    let is_hex = text.chars().all(|letter| letter.is_ascii_hexdigit() || letter == '-');
    if is_hex && text.len() >= SHORTEST_PREFIX && text.len() < 36 {
        return Ok(Reference::Prefix(text.replace('-', "").to_ascii_lowercase()));
    }
    if text.is_empty() || !text.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_')) {
        return Err(Failure::usage(format!("`{text}` names no run"))
            .help("a run is named by its uuid, 4 or more characters of it, its name, @last or @{2}"));
    }
    Ok(Reference::Name(text.to_owned()))
}

async fn last_used(session: &Session<'_>) -> Result<String, Failure> {
    if let Some((run, _)) = session.settings.cached(File::Run) {
        let is = |key: &str, expected: &str| match run.get(key).and_then(Value::as_str) {
            Some(value) => value == expected,
            None => session.is_default_project(),
        };
        let uuid = run.get("uuid").and_then(Value::as_str).unwrap_or_default();
        if is("project", &session.place.project) && uuid.parse::<RunId>().is_ok() {
            let name = run.get("name").and_then(Value::as_str).unwrap_or_default();
            session.printer.note(&format!("Using the run that was used last: {} {name}", short(uuid)));
            return Ok(uuid.to_owned());
        }
    }
    newest(session, 1).await
}

async fn newest(session: &Session<'_>, number: u64) -> Result<String, Failure> {
    let listing = Listing {
        query: Some("created_at:_any_, pipeline:nil, runtime:~builder".to_owned()),
        sort: Some("-created_at".to_owned()),
        limit: Some(1),
        offset: (number > 1).then(|| number - 1),
    };
    match list(session, &listing).await?.rows.first() {
        Some(run) => {
            session.printer.note(&format!("Using run {} {}", short(run.uuid()), run.name()));
            Ok(run.uuid().to_owned())
        }
        None if number == 1 => Err(missing(format!("project {} has no runs yet", session.place.project))),
        None => Err(missing(format!("project {} has fewer than {number} runs", session.place.project))),
    }
}

async fn by_prefix(session: &Session<'_>, prefix: &str) -> Result<Option<String>, Failure> {
    let query = format!("uuid:{prefix}%, created_at:_any_");
    let page = list(session, &Listing { query: Some(query), limit: Some(10), ..Listing::default() }).await?;
    match page.rows.as_slice() {
        [] => Ok(None),
        [run] => Ok(Some(run.uuid().to_owned())),
        several => {
            let names: Vec<_> = several.iter().map(|run| format!("{} {}", run.uuid(), run.name())).collect();
            Err(Failure::usage(format!("`{prefix}` is the start of several runs"))
                .help(format!("write more of the uuid:\n    {}", names.join("\n    "))))
        }
    }
}

async fn by_name(session: &Session<'_>, name: &str) -> Result<String, Failure> {
    let named = |more: &str| Listing {
        query: Some(format!("name:{name}, created_at:_any_{more}")),
        sort: Some("-created_at".to_owned()),
        limit: Some(2),
        offset: None,
    };
    // The trials of a search are called like the search.
    let mut page = list(session, &named(", pipeline:nil")).await?;
    if page.rows.is_empty() {
        page = list(session, &named("")).await?;
    }
    match page.rows.as_slice() {
        [] => {
            let failure = missing(format!("there is no run `{name}` in project {}", session.place.project));
            Err(match meant(session, name).await {
                Some(meant) => failure.help(format!("did you mean `{meant}`?")),
                None => failure,
            })
        }
        [run] => Ok(run.uuid().to_owned()),
        [run, ..] => {
            session.printer.note(&format!("Several runs are named {name}; using the newest, {}", short(run.uuid())));
            Ok(run.uuid().to_owned())
        }
    }
}

/// Runs whose names are compared with one that is not there.
const MOST_COMPARED: u64 = 100;

async fn meant(session: &Session<'_>, name: &str) -> Option<String> {
    let newest = Listing {
        query: Some("created_at:_any_".to_owned()),
        sort: Some("-created_at".to_owned()),
        limit: Some(MOST_COMPARED),
        offset: None,
    };
    let page = list(session, &newest).await.ok()?;
    suggest::nearest(name, page.rows.iter().map(Run::name).filter(|name| !name.is_empty())).map(str::to_owned)
}

async fn list(session: &Session<'_>, listing: &Listing) -> Result<Page<Run>, Failure> {
    match runs::list(&session.client, &session.place, listing).await {
        Ok(page) => Ok(page),
        Err(error) => Err(session.explain(error, None).await),
    }
}

fn missing(message: String) -> Failure {
    Failure::new(message).exit(Exit::NotFound).help("polyaxon ops ls lists the runs; -p names another project")
}

/// Enough of a uuid to recognise it.
pub(crate) fn short(uuid: &str) -> &str {
    uuid.get(..8).unwrap_or(uuid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_a_reference() {
        let hex = "9b0a3806e3f84ea1959a7842e34129ed";
        for (text, expected) in [
            (hex, Reference::Uuid(hex.into())),
            ("9B0A3806-e3f8-4ea1-959a-7842e34129ed", Reference::Uuid(hex.into())),
            ("9b0a", Reference::Prefix("9b0a".into())),
            ("9b0a3806-e3", Reference::Prefix("9b0a3806e3".into())),
            ("abc", Reference::Name("abc".into())),
            ("train-mnist", Reference::Name("train-mnist".into())),
            ("@last", Reference::Newest(1)),
            ("@{2}", Reference::Newest(2)),
            ("@-1", Reference::Newest(1)),
        ] {
            assert_eq!(parse(text).unwrap(), expected, "{text}");
        }
        for text in ["@", "@{0}", "@first", "", "a b", "x,y:z"] {
            assert_eq!(parse(text).unwrap_err().exit, Exit::Usage, "{text}");
        }
    }
}
