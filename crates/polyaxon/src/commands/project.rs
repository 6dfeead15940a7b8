//! `polyaxon project`: create, list, show, change and delete projects.

use polyaxon_client::projects::{self, Fields};
use polyaxon_client::record::Project;
use polyaxon_client::runs::Listing;
use serde_json::Value;

use crate::args::global::OutputFormat;
use crate::args::project::{
    CreateArgs, DeleteArgs, GetArgs, LsArgs, NamedProject, ProjectArgs, ProjectCommand, UpdateArgs,
};
use crate::config::{self, File};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::table::{Column, Table};
use crate::output::{Human, Output, time};
use crate::session::{Context, Server, Session, block_on};

pub(crate) fn run(context: &Context, args: ProjectArgs) -> Result<Exit, Failure> {
    let group = args.group_project.as_deref();
    match args.command {
        ProjectCommand::Create(args) => create(context, &args),
        ProjectCommand::Ls(args) => list(context, &args),
        ProjectCommand::Get(args) => get(context, group, &args),
        ProjectCommand::Update(args) => update(context, group, &args),
        ProjectCommand::Delete(args) => delete(context, group, &args),
        ProjectCommand::Dashboard(_) => Err(Failure::unsupported("project dashboard")),
    }
}

fn create(context: &Context, args: &CreateArgs) -> Result<Exit, Failure> {
    let name = args.name.as_deref().or(args.name_word.as_deref());
    let session = Session::open(context, Server::Configured, name)?;
    let fields = Fields {
        name: Some(session.place.project.clone()),
        description: args.description.clone(),
        tags: args.tags.as_deref().map(comma_list),
    };
    let project = block_on(async { Ok(projects::create(&session.client, &session.place.owner, &fields).await?) })?;
    if args.init {
        let folder = std::path::Path::new(".polyaxon");
        let mut cached = project.0.clone();
        cached["owner"] = session.place.owner.as_str().into();
        config::write(folder, File::Project, &cached)?;
        context.printer.note(&format!("This folder uses project {} from now on", session.place.project));
    }
    print(context, &project, &args.format.output)
}

fn list(context: &Context, args: &LsArgs) -> Result<Exit, Failure> {
    let session = Session::open(context, Server::Configured, None)?;
    let owner = args.owner.as_deref().unwrap_or(&session.place.owner);
    let listing =
        Listing { query: args.query.clone(), sort: args.sort.clone(), limit: args.limit, offset: args.offset };
    let page = block_on(async { Ok(projects::list(&session.client, owner, &listing).await?) })?;
    let column = |name: &str| Column { name: name.to_owned(), key: name.to_owned(), wide: false };
    let mut table = Table::new(["name", "description", "tags", "updated"].map(column).into());
    let now = jiff::Timestamp::now();
    for project in &page.rows {
        let text = |key: &str| project.0.get(key).and_then(Value::as_str).unwrap_or_default();
        table.row(vec![
            project.name().to_owned(),
            text("description").to_owned(),
            words(project.0.get("tags")),
            time::ago(text("updated_at"), now),
        ]);
    }
    if page.rows.is_empty() {
        context.printer.note("No projects yet; create one with: polyaxon project create --name NAME");
    }
    let names = page.rows.iter().map(|project| project.name().to_owned()).collect();
    context.printer.data(&Output { json: page.json, human: Human::Table(table), names }, &args.output)?;
    Ok(Exit::Ok)
}

fn get(context: &Context, group: Option<&str>, args: &GetArgs) -> Result<Exit, Failure> {
    let session = open(context, group, &args.project)?;
    let project = block_on(async {
        match projects::get(&session.client, &session.place).await {
            Ok(project) => Ok(project),
            Err(error) => Err(session.explain(error, None).await),
        }
    })?;
    print(context, &project, &args.format.output)
}

fn update(context: &Context, group: Option<&str>, args: &UpdateArgs) -> Result<Exit, Failure> {
    if args.private.is_some() {
        return Err(Failure::unsupported("project update --private"));
    }
    let fields = Fields {
        name: args.name.clone(),
        description: args.description.clone(),
        tags: args.tags.as_deref().map(comma_list),
    };
    if fields.name.is_none() && fields.description.is_none() && fields.tags.is_none() {
        return Err(Failure::usage("nothing to change").help("give --name, --description or --tags"));
    }
    let session = open(context, group, &args.project)?;
    let project = block_on(async {
        match projects::update(&session.client, &session.place, &fields).await {
            Ok(project) => Ok(project),
            Err(error) => Err(session.explain(error, None).await),
        }
    })?;
    print(context, &project, &args.format.output)
}

fn delete(context: &Context, group: Option<&str>, args: &DeleteArgs) -> Result<Exit, Failure> {
    let session = open(context, group, &args.project)?;
    if session.is_default_project() {
        return Err(Failure::usage("name the project to delete"));
    }
    let name = format!("{}/{}", session.place.owner, session.place.project);
    if !args.yes.yes {
        context.printer.confirm(&format!("Delete project {name} and all its runs?"))?;
    }
    block_on(async {
        match projects::delete(&session.client, &session.place).await {
            Ok(()) => Ok(()),
            Err(error) => Err(session.explain(error, None).await),
        }
    })?;
    context.printer.note(&format!("Deleted project {name}"));
    Ok(Exit::Ok)
}

fn open<'a>(context: &'a Context, group: Option<&str>, named: &NamedProject) -> Result<Session<'a>, Failure> {
    Session::open(context, Server::Configured, named.reference().or(group))
}

fn print(context: &Context, project: &Project, format: &OutputFormat) -> Result<Exit, Failure> {
    let now = jiff::Timestamp::now();
    let text = |key: &str| project.0.get(key).and_then(Value::as_str).unwrap_or_default();
    let mut table = Table::pairs();
    table.pair("name", project.name());
    table.pair("description", text("description"));
    table.pair("tags", words(project.0.get("tags")));
    table.pair("created", time::local(text("created_at"), now));
    table.pair("updated", time::local(text("updated_at"), now));
    table.pair("uuid", text("uuid"));
    let names = vec![project.name().to_owned()];
    context.printer.data(&Output { json: project.0.clone(), human: Human::Table(table), names }, format)?;
    Ok(Exit::Ok)
}

/// The parts of a comma separated option.
pub(crate) fn comma_list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// A list of strings as `a, b`.
pub(crate) fn words(json: Option<&Value>) -> String {
    let items = json.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}
