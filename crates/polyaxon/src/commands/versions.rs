//! `polyaxon models`, `artifacts` and `components`: versions of a project.

use polyaxon_client::error::Error as ClientError;
use polyaxon_client::http::Place;
use polyaxon_client::record::Version;
use polyaxon_client::runs::Listing;
use polyaxon_client::versions::{self, Shelf};
use serde_json::{Value, json};

use crate::args::global::OutputFormat;
use crate::args::versions::{
    CopyArgs, LsArgs, NamedVersion, RegisterArgs, Stage, StageArgs, Texts, UpdateArgs, VersionsArgs, VersionsCommand,
};
use crate::commands::project::{comma_list, words};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::table::{Column, Table};
use crate::output::{Human, Output, time};
use crate::run_reference;
use crate::session::{Context, Server, Session, block_on};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Model,
    Artifact,
    Component,
}

impl Kind {
    /// As addresses and messages name it.
    fn word(self) -> &'static str {
        match self {
            Kind::Model => "model",
            Kind::Artifact => "artifact",
            Kind::Component => "component",
        }
    }
}

/// The kind, and the options that stand before the subcommand.
struct Group {
    kind: Kind,
    project: Option<String>,
    version: Option<String>,
}

pub(crate) fn run(context: &Context, kind: Kind, args: VersionsArgs) -> Result<Exit, Failure> {
    let group = Group { kind, project: args.group_project, version: args.group_version };
    match args.command {
        VersionsCommand::Ls(args) => list(context, &group, &args),
        VersionsCommand::Get(args) => {
            let output = &args.format.output;
            with(context, &group, &args.version, async |session, name| {
                let shelf = group.shelf(session);
                print(context, &versions::get(shelf, name).await?, output)
            })
        }
        VersionsCommand::Register(args) => register(context, &group, &args),
        VersionsCommand::Stage(args) => stage(context, &group, &args),
        VersionsCommand::Stages(args) => {
            let output = &args.format.output;
            with(context, &group, &args.version, async |session, name| {
                let stages = versions::stages(group.shelf(session), name).await?;
                print_stages(context, stages, output)
            })
        }
        VersionsCommand::Update(args) => update(context, &group, &args),
        VersionsCommand::Copy(args) => copy(context, &group, &args),
        VersionsCommand::Transfer(args) => with(context, &group, &args.version, async |session, name| {
            versions::transfer(group.shelf(session), name, &args.to_project).await?;
            context.printer.note(&format!("Moved {} {name} to project {}", group.kind.word(), args.to_project));
            Ok(Exit::Ok)
        }),
        VersionsCommand::Delete(args) => with(context, &group, &args.version, async |session, name| {
            if !args.yes.yes {
                context.printer.confirm(&format!("Delete {} version {name}?", group.kind.word()))?;
            }
            versions::delete(group.shelf(session), name).await?;
            context.printer.note(&format!("Deleted {} version {name}", group.kind.word()));
            Ok(Exit::Ok)
        }),
        VersionsCommand::Pull(_) => Err(Failure::unsupported(&format!("{}s pull", kind.word()))),
        VersionsCommand::Push(_) => Err(Failure::unsupported(&format!("{}s push", kind.word()))),
        VersionsCommand::Dashboard(_) => Err(Failure::unsupported(&format!("{}s dashboard", kind.word()))),
    }
}

impl Group {
    fn open<'a>(&self, context: &'a Context, project: Option<&str>) -> Result<Session<'a>, Failure> {
        Session::open(context, Server::Configured, project.or(self.project.as_deref()))
    }

    fn shelf<'a>(&self, session: &'a Session<'_>) -> Shelf<'a> {
        Shelf { client: &session.client, place: &session.place, kind: self.kind.word() }
    }

    fn name(&self, named: &NamedVersion) -> String {
        let name = named.version_word.as_deref().or(named.version.as_deref()).or(self.version.as_deref());
        name.unwrap_or("latest").to_owned()
    }
}

/// Why a call about one version failed.
enum Trouble {
    Call(ClientError),
    Here(Failure),
}

impl From<ClientError> for Trouble {
    fn from(error: ClientError) -> Trouble {
        Trouble::Call(error)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Trouble {
        Trouble::Here(failure)
    }
}

/// Does something with one version, and names it when it is not there.
fn with(
    context: &Context,
    group: &Group,
    named: &NamedVersion,
    work: impl AsyncFnOnce(&Session<'_>, &str) -> Result<Exit, Trouble>,
) -> Result<Exit, Failure> {
    let session = group.open(context, named.project.project.as_deref())?;
    let name = group.name(named);
    block_on(async {
        match work(&session, &name).await {
            Ok(exit) => Ok(exit),
            Err(Trouble::Here(failure)) => Err(failure),
            Err(Trouble::Call(error)) if error.is_not_found() && !error.to_string().contains("No Project matches") => {
                let Place { owner, project } = &session.place;
                let word = group.kind.word();
                Err(Failure::new(format!("there is no {word} version `{name}` in project {owner}/{project}"))
                    .exit(Exit::NotFound)
                    .help(format!("polyaxon {word}s ls lists the versions; -p names another project")))
            }
            Err(Trouble::Call(error)) => Err(session.explain(error, None).await),
        }
    })
}

fn list(context: &Context, group: &Group, args: &LsArgs) -> Result<Exit, Failure> {
    let session = group.open(context, args.project.project.as_deref())?;
    let listing =
        Listing { query: args.query.clone(), sort: args.sort.clone(), limit: args.limit, offset: args.offset };
    let page = block_on(async {
        match versions::list(group.shelf(&session), &listing).await {
            Ok(page) => Ok(page),
            Err(error) => Err(session.explain(error, None).await),
        }
    })?;
    let column = |name: &str| Column { name: name.to_owned(), key: name.to_owned(), wide: false };
    let mut table = Table::new(["name", "stage", "description", "tags", "updated"].map(column).into());
    let now = jiff::Timestamp::now();
    for version in &page.rows {
        let text = |key: &str| version.0.get(key).and_then(Value::as_str).unwrap_or_default();
        table.row(vec![
            version.name().to_owned(),
            text("stage").to_owned(),
            text("description").to_owned(),
            words(version.0.get("tags")),
            time::ago(text("updated_at"), now),
        ]);
    }
    if page.rows.is_empty() {
        context.printer.note(&format!("No {} versions here", group.kind.word()));
    }
    let names = page.rows.iter().map(|version| version.name().to_owned()).collect();
    context.printer.data(&Output { json: page.json, human: Human::Table(table), names }, &args.format.output)?;
    Ok(Exit::Ok)
}

fn register(context: &Context, group: &Group, args: &RegisterArgs) -> Result<Exit, Failure> {
    if args.connection.is_some() {
        return Err(Failure::unsupported("--connection"));
    }
    let name = args.version.version_word.as_ref().or(args.version.version.as_ref()).or(group.version.as_ref());
    if name.is_none() {
        return Err(Failure::usage("the version needs a name").help("give one with --version"));
    }
    let mut body = texts(&args.texts);
    match (group.kind, &args.file, &args.content) {
        (Kind::Component, Some(file), None) => {
            let text = std::fs::read_to_string(file)
                .map_err(|error| Failure::usage(format!("cannot read {}: {error}", file.display())))?;
            body["content"] = text.into();
        }
        (Kind::Component, _, _) => {
            return Err(Failure::usage("a component version is made of a file").help("name it with -f FILE"));
        }
        (_, Some(_), _) => return Err(Failure::usage("-f is for components; use --content or --run-uid")),
        (_, None, Some(content)) => body["content"] = content.as_str().into(),
        (_, None, None) => {}
    }
    with(context, group, &args.version, async |session, name| {
        if let Some(run) = &args.run_uid {
            body["run"] = run_reference::find(session, Some(run)).await?.into();
        }
        if let Some(artifacts) = &args.artifacts {
            body["artifacts"] = comma_list(artifacts).into();
        }
        let made = make(group.shelf(session), name, &body, args.force).await?;
        print(context, &made, &args.format.output)
    })
}

/// Creates a version, or changes the one that is there when that is wanted.
async fn make(shelf: Shelf<'_>, name: &str, body: &Value, force: bool) -> Result<Version, ClientError> {
    let mut named = body.clone();
    named["name"] = name.into();
    match versions::create(shelf, &named).await {
        Err(ClientError::Refused { status: 400 | 409, message, .. }) if force && message.contains("exists") => {
            versions::update(shelf, name, body).await
        }
        made => made,
    }
}

fn update(context: &Context, group: &Group, args: &UpdateArgs) -> Result<Exit, Failure> {
    let mut body = texts(&args.texts);
    if let Some(name) = &args.name {
        body["name"] = name.as_str().into();
    }
    if body.as_object().is_some_and(serde_json::Map::is_empty) {
        return Err(Failure::usage("nothing to change").help("give --name, --description or --tags"));
    }
    with(context, group, &args.version, async |session, name| {
        let changed = versions::update(group.shelf(session), name, &body).await?;
        print(context, &changed, &args.format.output)
    })
}

fn copy(context: &Context, group: &Group, args: &CopyArgs) -> Result<Exit, Failure> {
    if args.name.is_none() && args.to_project.is_none() {
        return Err(Failure::usage("the copy would be the same version").help("give --name or --to-project"));
    }
    with(context, group, &args.version, async |session, name| {
        let source = versions::get(group.shelf(session), name).await?.0;
        let mut body = json!({});
        for field in ["description", "tags", "content", "readme"] {
            if let Some(value) = source.get(field).filter(|value| !value.is_null()) {
                body[field] = value.clone();
            }
        }
        if let Value::Object(changes) = texts(&args.texts) {
            for (field, value) in changes {
                body[field] = value;
            }
        }
        if let Some(content) = &args.content {
            body["content"] = content.as_str().into();
        }
        let place = match &args.to_project {
            Some(project) => session.settings.place(Some(project))?.value,
            None => session.place.clone(),
        };
        let shelf = Shelf { place: &place, ..group.shelf(session) };
        let copied = make(shelf, args.name.as_deref().unwrap_or(name), &body, args.force).await?;
        print(context, &copied, &args.format.output)
    })
}

fn stage(context: &Context, group: &Group, args: &StageArgs) -> Result<Exit, Failure> {
    let stage = match args.to {
        Stage::Testing => "testing",
        Stage::Staging => "staging",
        Stage::Production => "production",
        Stage::Disabled => "disabled",
    };
    let mut condition = json!({ "type": stage, "status": true, "reason": args.reason });
    if let Some(message) = &args.message {
        condition["message"] = message.as_str().into();
    }
    with(context, group, &args.version, async |session, name| {
        let stages = versions::stage(group.shelf(session), name, &condition).await?;
        print_stages(context, stages, &args.format.output)
    })
}

fn texts(texts: &Texts) -> Value {
    let mut body = json!({});
    if let Some(description) = &texts.description {
        body["description"] = description.as_str().into();
    }
    if let Some(tags) = &texts.tags {
        body["tags"] = comma_list(tags).into();
    }
    body
}

fn print(context: &Context, version: &Version, format: &OutputFormat) -> Result<Exit, Trouble> {
    let now = jiff::Timestamp::now();
    let text = |key: &str| version.0.get(key).and_then(Value::as_str).unwrap_or_default();
    let mut table = Table::pairs();
    table.pair("name", version.name());
    table.pair("stage", text("stage"));
    table.pair("description", text("description"));
    table.pair("tags", words(version.0.get("tags")));
    table.pair("created", time::local(text("created_at"), now));
    table.pair("updated", time::local(text("updated_at"), now));
    table.pair("uuid", text("uuid"));
    let names = vec![version.name().to_owned()];
    context.printer.data(&Output { json: version.0.clone(), human: Human::Table(table), names }, format)?;
    Ok(Exit::Ok)
}

fn print_stages(context: &Context, json: Value, format: &OutputFormat) -> Result<Exit, Trouble> {
    let column = |name: &str| Column { name: name.to_owned(), key: name.to_owned(), wide: false };
    let mut table = Table::new(["stage", "reason", "message", "when"].map(column).into());
    let now = jiff::Timestamp::now();
    for condition in json.get("stage_conditions").and_then(Value::as_array).into_iter().flatten() {
        let text = |key: &str| condition.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let when = time::local(&text("last_transition_time"), now);
        table.row(vec![text("type"), text("reason"), text("message"), when]);
    }
    let names = json.get("stage").and_then(Value::as_str).map(str::to_owned).into_iter().collect();
    context.printer.data(&Output { json, human: Human::Table(table), names }, format)?;
    Ok(Exit::Ok)
}
