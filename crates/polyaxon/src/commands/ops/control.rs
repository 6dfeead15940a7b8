//! `polyaxon ops stop`, `delete`, `skip`, `approve`, `invalidate`, `update` and `transfer`.

use polyaxon_client::record::Run;
use polyaxon_client::runs::{self, Action, Changes};
use polyaxon_model::status::Status;
use serde_json::Value;

use crate::args::ops::{ConfirmedArgs, TargetArgs, TransferArgs, UpdateArgs};
use crate::commands::ops::{Group, detail, open, refuse_offline, run_output, uuid};
use crate::commands::project::comma_list;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run_reference::short;
use crate::session::{Context, Session, block_on};

pub(super) fn stop(context: &Context, group: &Group, args: &ConfirmedArgs) -> Result<Exit, Failure> {
    confirmed(context, group, args, "Stop", |session, run| {
        Box::pin(async move {
            if run.status().is_some_and(Status::is_done) {
                let status = run.0.get("status").and_then(Value::as_str).unwrap_or_default();
                session.printer.note(&format!("{} has ended already ({status})", named(&run)));
                return Ok(());
            }
            runs::act(&session.client, &session.place, run.uuid(), Action::Stop).await?;
            session.printer.note(&format!("Stopping {}", named(&run)));
            Ok(())
        })
    })
}

pub(super) fn delete(context: &Context, group: &Group, args: &ConfirmedArgs) -> Result<Exit, Failure> {
    confirmed(context, group, args, "Delete", |session, run| {
        Box::pin(async move {
            runs::delete(&session.client, &session.place, run.uuid()).await?;
            session.printer.note(&format!("Deleted {}", named(&run)));
            Ok(())
        })
    })
}

pub(super) fn skip(context: &Context, group: &Group, args: &ConfirmedArgs) -> Result<Exit, Failure> {
    confirmed(context, group, args, "Skip", |session, run| {
        Box::pin(async move {
            runs::act(&session.client, &session.place, run.uuid(), Action::Skip).await?;
            session.printer.note(&format!("Skipped {}", named(&run)));
            Ok(())
        })
    })
}

type Act = for<'a> fn(&'a Session<'a>, Run) -> std::pin::Pin<Box<dyn Future<Output = Result<(), Failure>> + 'a>>;

/// Looks the run up, asks, and acts.
fn confirmed(context: &Context, group: &Group, args: &ConfirmedArgs, verb: &str, act: Act) -> Result<Exit, Failure> {
    refuse_offline(&args.offline)?;
    let session = open(context, group, &args.target)?;
    block_on(async {
        let run = detail(&session, group, &args.target).await?;
        if !args.yes.yes {
            context.printer.confirm(&format!("{verb} {}?", named(&run)))?;
        }
        act(&session, run).await?;
        Ok(Exit::Ok)
    })
}

pub(super) fn approve(context: &Context, group: &Group, args: &TargetArgs) -> Result<Exit, Failure> {
    act(context, group, args, Action::Approve, "Approved")
}

pub(super) fn invalidate(context: &Context, group: &Group, args: &TargetArgs) -> Result<Exit, Failure> {
    act(context, group, args, Action::Invalidate, "No later run will reuse the result of")
}

fn act(context: &Context, group: &Group, args: &TargetArgs, action: Action, done: &str) -> Result<Exit, Failure> {
    let session = open(context, group, &args.target)?;
    block_on(async {
        let uuid = uuid(&session, group, &args.target).await?;
        if let Err(error) = runs::act(&session.client, &session.place, &uuid, action).await {
            return Err(session.explain(error, Some(&uuid)).await);
        }
        context.printer.note(&format!("{done} run {}", short(&uuid)));
        Ok(Exit::Ok)
    })
}

pub(super) fn update(context: &Context, group: &Group, args: &UpdateArgs) -> Result<Exit, Failure> {
    refuse_offline(&args.offline)?;
    let changes = Changes {
        name: args.name.clone(),
        description: args.description.clone(),
        tags: args.tags.as_deref().map(comma_list),
        ..Changes::default()
    };
    if changes.name.is_none() && changes.description.is_none() && changes.tags.is_none() {
        return Err(Failure::usage("nothing to change").help("give --name, --description or --tags"));
    }
    let session = open(context, group, &args.target)?;
    let run = block_on(async {
        let uuid = uuid(&session, group, &args.target).await?;
        match runs::update(&session.client, &session.place, &uuid, &changes).await {
            Ok(run) => Ok(run),
            Err(error) => Err(session.explain(error, Some(&uuid)).await),
        }
    })?;
    context.printer.data(&run_output(&session, &run, None), &args.format.output)?;
    Ok(Exit::Ok)
}

pub(super) fn transfer(context: &Context, group: &Group, args: &TransferArgs) -> Result<Exit, Failure> {
    let session = open(context, group, &args.target)?;
    block_on(async {
        let uuid = uuid(&session, group, &args.target).await?;
        if let Err(error) = runs::transfer(&session.client, &session.place, &uuid, &args.to_project).await {
            return Err(session.explain(error, Some(&uuid)).await);
        }
        context.printer.note(&format!("Moved run {} to project {}", short(&uuid), args.to_project));
        Ok(Exit::Ok)
    })
}

fn named(run: &Run) -> String {
    match run.name() {
        "" => format!("run {}", short(run.uuid())),
        name => format!("run {} ({name})", short(run.uuid())),
    }
}
