//! `polyaxon notify`: one message about a run, by a connection of the server or by the settings in a variable.

use polyaxon_client::http::Place;
use polyaxon_client::notify::{self, Backend, Notification};
use polyaxon_client::statuses;
use polyaxon_model::condition::{PostedCondition, StatusCondition};
use serde_json::Value;

use crate::args::notify::NotifyArgs;
use crate::env;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::local::serve::FIRST_PORT;
use crate::session::{Context, Server, Session, block_on};
use crate::settings::Settings;

pub(crate) fn run(context: &Context, args: &NotifyArgs) -> Result<Exit, Failure> {
    let condition = condition(&args.condition)?;
    match (&args.connection, &args.backend) {
        (Some(connection), _) => ask(context, args, connection, &condition),
        (None, Some(backend)) => send(context, args, backend, condition),
        (None, None) => Err(Failure::usage("name a connection of the server, or a backend")),
    }
}

fn condition(text: &str) -> Result<StatusCondition, Failure> {
    let wrong = |error: &dyn std::fmt::Display| {
        Failure::usage(format!("--condition is not a condition: {error}")).help("a condition is {\"type\": \"failed\"}")
    };
    let posted: PostedCondition = serde_json::from_str(text).map_err(|error| wrong(&error))?;
    let now = jiff::Timestamp::now().into();
    posted.complete(now).map_err(|error| wrong(&error))?.ok_or_else(|| wrong(&"it has no type"))
}

/// The server sends it.
fn ask(context: &Context, args: &NotifyArgs, connection: &str, condition: &StatusCondition) -> Result<Exit, Failure> {
    let session = Session::open(context, Server::Configured, args.project.as_deref())?;
    let owner = args.owner.clone().unwrap_or_else(|| session.place.owner.clone());
    let place = Place { owner, ..session.place.clone() };
    let condition = serde_json::to_value(condition).unwrap_or_default();
    block_on(async {
        let asked = statuses::notify(&session.client, &place, &args.uuid, connection, condition).await;
        match asked {
            Ok(()) => Ok(()),
            Err(error) => Err(session.explain(error, Some(&args.uuid)).await),
        }
    })?;
    context.printer.note(&format!("The server tells `{connection}`"));
    Ok(Exit::Ok)
}

/// This command sends it, to every entry of the settings; one that takes it is enough.
fn send(context: &Context, args: &NotifyArgs, backend: &str, condition: StatusCondition) -> Result<Exit, Failure> {
    let Some(backend) = Backend::of_kind(backend) else {
        let known: Vec<&str> = Backend::ALL.iter().map(|backend| backend.kind()).collect();
        return Err(
            Failure::usage(format!("there is no backend `{backend}`")).help(format!("backends: {}", known.join(", ")))
        );
    };
    let failed = |error: notify::Error| Failure::new(error.to_string());
    let settings = env::named(backend.kind()).ok_or_else(|| {
        Failure::new(format!("Could not validate config for notifier {}", backend.title()))
            .help(format!("set the variable `{}` to its settings, as JSON", backend.kind()))
    })?;
    let targets = notify::targets(backend, &Value::String(settings)).map_err(failed)?;
    let notification = notification(args, condition)?;
    let mut errors = Vec::new();
    block_on(async {
        for target in &targets {
            if let Err(error) = notify::send(&notification, backend, target).await {
                errors.push(error.to_string());
            }
        }
        Ok(())
    })?;
    if errors.len() == targets.len() {
        return Err(Failure::new(format!("{} was not told", backend.title())).cause(errors.join("; ")));
    }
    for error in errors {
        context.printer.warning(&format!("one receiver was not told: {error}"));
    }
    Ok(Exit::Ok)
}

fn notification(args: &NotifyArgs, condition: StatusCondition) -> Result<Notification, Failure> {
    let settings = Settings::read()?;
    let place = settings.place(args.project.as_deref())?.value;
    Ok(Notification {
        host: settings.host().map_or_else(|| format!("http://localhost:{FIRST_PORT}"), |host| host.value),
        owner: args.owner.clone().unwrap_or(place.owner),
        project: place.project,
        uuid: args.uuid.clone(),
        name: args.name.clone(),
        kind: args.kind.clone(),
        status: args.status.clone().unwrap_or_else(|| condition.status.to_string()),
        condition,
        wait_time: args.wait_time.clone(),
        duration: args.duration.clone(),
        inputs: args.inputs.clone(),
        outputs: args.outputs.clone(),
    })
}
