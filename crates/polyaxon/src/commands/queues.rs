//! `polyaxon queues`: list, show, create, change and delete queues.

use polyaxon_client::error::Error as ClientError;
use polyaxon_client::queues::{self, QueueName, Reassign};
use polyaxon_model::change::Change;
use polyaxon_model::queue::{LOCAL_AGENT, QueueBody, QueueResource};
use serde_json::Value;

use crate::args::global::OutputFormat;
use crate::args::queues::{
    QueueFields, QueuesArgs, QueuesCommand, QueuesCreateArgs, QueuesDeleteArgs, QueuesLsArgs, QueuesUpdateArgs,
};
use crate::commands::project::{comma_list, words};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::table::{Column, Table};
use crate::output::{Human, Output};
use crate::session::{Context, Server, Session, block_on};

pub(crate) fn run(context: &Context, args: QueuesArgs) -> Result<Exit, Failure> {
    let session = Session::open(context, Server::Configured, None)?;
    match args.command {
        QueuesCommand::Ls(args) => list(&session, &args),
        QueuesCommand::Get(args) => {
            let name = named(&session, &args.queue)?;
            let queue = call(&session, &name, queues::get(&session.client, &name))?;
            show(&session, &name, queue, &args.format.output)
        }
        QueuesCommand::Create(args) => create(&session, &args),
        QueuesCommand::Update(args) => update(&session, &args),
        QueuesCommand::Delete(args) => delete(&session, &args),
    }
}

/// `QUEUE` or `AGENT/QUEUE`.
fn named(session: &Session<'_>, text: &str) -> Result<QueueName, Failure> {
    let (agent, queue) = text.split_once(['/', '.']).unwrap_or((LOCAL_AGENT, text));
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if !is_word(agent) || !is_word(queue) {
        return Err(Failure::usage(format!("`{text}` is no name of a queue, expected QUEUE or AGENT/QUEUE")));
    }
    Ok(QueueName { owner: session.place.owner.clone(), agent: agent.to_owned(), queue: queue.to_owned() })
}

fn call<T>(
    session: &Session<'_>,
    name: &QueueName,
    work: impl Future<Output = Result<T, ClientError>>,
) -> Result<T, Failure> {
    block_on(async {
        work.await.map_err(|error| {
            let QueueName { agent, queue, .. } = name;
            let text = error.to_string();
            let missing = match () {
                () if !error.is_not_found() => return Failure::from(error),
                () if text.contains("No Agent") => format!("there is no agent `{agent}`"),
                () => format!("agent `{agent}` has no queue `{queue}`"),
            };
            Failure::new(format!("{missing} on {}", session.client.host()))
                .exit(Exit::NotFound)
                .help("polyaxon queues ls lists the queues")
        })
    })
}

fn list(session: &Session<'_>, args: &QueuesLsArgs) -> Result<Exit, Failure> {
    let owner = &session.place.owner;
    let name = QueueName { owner: owner.clone(), agent: args.agent.clone().unwrap_or_default(), queue: String::new() };
    let json = call(session, &name, queues::list(&session.client, owner, args.agent.as_deref()))?;
    let column = |name: &str| Column { name: name.to_owned(), key: name.to_owned(), wide: false };
    let columns = ["agent", "name", "priority", "concurrency", "quota", "description"];
    let mut table = Table::new(columns.map(column).into());
    let mut names = Vec::new();
    for queue in json["results"].as_array().into_iter().flatten() {
        let text = |key: &str| queue[key].as_str().unwrap_or_default().to_owned();
        names.push(format!("{}/{}", text("agent"), text("name")));
        table.row(vec![
            text("agent"),
            text("name"),
            queue["priority"].to_string(),
            concurrency(queue),
            quota(queue),
            text("description"),
        ]);
    }
    session.printer.data(&Output { json, human: Human::Table(table), names }, &args.format.output)?;
    Ok(Exit::Ok)
}

fn create(session: &Session<'_>, args: &QueuesCreateArgs) -> Result<Exit, Failure> {
    let name = named(session, &args.queue)?;
    let body = QueueBody { name: Some(name.queue.clone()), ..body(&args.fields)? };
    let queue = call(session, &name, queues::create(&session.client, &name, &body))?;
    show(session, &name, queue, &args.format.output)
}

fn update(session: &Session<'_>, args: &QueuesUpdateArgs) -> Result<Exit, Failure> {
    let mut name = named(session, &args.queue)?;
    let body = QueueBody { name: args.name.clone(), ..body(&args.fields)? };
    if body == QueueBody::default() {
        return Err(
            Failure::usage("nothing to change").help("give --priority, --concurrency, --quota or another option")
        );
    }
    let queue = call(session, &name, queues::update(&session.client, &name, &body))?;
    queue["name"].as_str().unwrap_or_default().clone_into(&mut name.queue);
    show(session, &name, queue, &args.format.output)
}

fn delete(session: &Session<'_>, args: &QueuesDeleteArgs) -> Result<Exit, Failure> {
    let name = named(session, &args.queue)?;
    let text = format!("{}/{}", name.agent, name.queue);
    if !args.yes.yes {
        session.printer.confirm(&format!("Delete queue {text}?"))?;
    }
    let reassign = if args.reassign { Reassign::Yes } else { Reassign::No };
    call(session, &name, queues::delete(&session.client, &name, reassign))?;
    session.printer.note(&format!("Deleted queue {text}"));
    Ok(Exit::Ok)
}

fn body(fields: &QueueFields) -> Result<QueueBody, Failure> {
    let resource = match &fields.resource {
        None => Change::Keep,
        Some(text) => {
            Change::Set(text.parse::<QueueResource>().map_err(|error| Failure::usage(format!("--resource: {error}")))?)
        }
    };
    let set = |value: &Option<String>| value.clone().map_or(Change::Keep, Change::Set);
    Ok(QueueBody {
        name: None,
        description: set(&fields.description),
        tags: fields.tags.as_deref().map_or(Change::Keep, |tags| Change::Set(comma_list(tags))),
        priority: fields.priority,
        concurrency: fields.concurrency.map_or(Change::Keep, Change::Set),
        resource,
        quota: set(&fields.quota),
        live_state: None,
    })
}

/// A queue with its numbers.
fn show(session: &Session<'_>, name: &QueueName, mut queue: Value, format: &OutputFormat) -> Result<Exit, Failure> {
    let stats = call(session, name, queues::stats(&session.client, name))?;
    let text = |key: &str| queue[key].as_str().unwrap_or_default().to_owned();
    let mut table = Table::pairs();
    table.pair("agent", text("agent"));
    table.pair("name", text("name"));
    table.pair("description", text("description"));
    table.pair("tags", words(queue.get("tags")));
    table.pair("priority", queue["priority"].to_string());
    table.pair("concurrency", concurrency(&queue));
    table.pair("quota", quota(&queue));
    table.pair("queued", stats["queued"].to_string());
    table.pair("running", stats["running"].to_string());
    table.pair("unschedulable", stats["unschedulable"].to_string());
    table.pair("uuid", text("uuid"));
    let names = vec![format!("{}/{}", text("agent"), text("name"))];
    queue["stats"] = stats;
    session.printer.data(&Output { json: queue, human: Human::Table(table), names }, format)?;
    Ok(Exit::Ok)
}

fn concurrency(queue: &Value) -> String {
    match queue["concurrency"].as_i64() {
        Some(limit) if limit >= 0 => limit.to_string(),
        _ => "unlimited".to_owned(),
    }
}

fn quota(queue: &Value) -> String {
    match (queue["resource"].as_str(), queue["quota"].as_str()) {
        (Some(resource), Some(quota)) => format!("{quota} {resource}"),
        _ => String::new(),
    }
}
