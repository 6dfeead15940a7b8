//! `polyaxon ops`: list, inspect and control runs.

mod artifacts;
mod cache;
mod clone;
mod control;
mod explain;
mod list;
mod show;

use polyaxon_client::record::Run;
use polyaxon_client::runs;

use crate::args::global::Target;
use crate::args::ops::{OfflineArgs, OpsArgs, OpsCommand};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run_reference;
use crate::session::{Context, Server, Session};

pub(crate) use explain::explain;
pub(crate) use show::run_output;

/// Options of the group, which the official program still accepts before the subcommand.
#[derive(Default)]
struct Group {
    project: Option<String>,
    uid: Option<String>,
}

pub(crate) fn run(context: &Context, args: OpsArgs) -> Result<Exit, Failure> {
    let group = Group { project: args.group_project, uid: args.group_uid };
    if group.project.is_some() || group.uid.is_some() {
        context.printer.warning("-p and -uid belong after the subcommand: polyaxon ops COMMAND -uid RUN");
    }
    match args.command {
        OpsCommand::Ls(args) => list::run(context, &group, &args),
        OpsCommand::Get(args) => show::get(context, &group, &args),
        OpsCommand::Statuses(args) => show::statuses(context, &group, &args),
        OpsCommand::Logs(args) => show::logs(context, &group, &args),
        OpsCommand::Explain(args) => explain::run(context, &group, &args),
        OpsCommand::Watch(args) => show::watch(context, &group, &args),
        OpsCommand::Stop(args) => control::stop(context, &group, &args),
        OpsCommand::Delete(args) => control::delete(context, &group, &args),
        OpsCommand::Skip(args) => control::skip(context, &group, &args),
        OpsCommand::Approve(args) => control::approve(context, &group, &args),
        OpsCommand::Invalidate(args) => control::invalidate(context, &group, &args),
        OpsCommand::ExplainCache(args) => cache::explain(context, &group, &args),
        OpsCommand::Update(args) => control::update(context, &group, &args),
        OpsCommand::Transfer(args) => control::transfer(context, &group, &args),
        OpsCommand::Restart(args) => clone::restart(context, &group, &args),
        OpsCommand::Resume(args) => clone::resume(context, &group, &args),
        OpsCommand::Artifacts(args) => artifacts::run(context, &group, &args),
        OpsCommand::Upload(args) => artifacts::upload(context, &group, &args),
        OpsCommand::Official(official) => Err(Failure::unsupported(official.name())),
    }
}

fn open<'a>(context: &'a Context, group: &Group, target: &Target) -> Result<Session<'a>, Failure> {
    let project = target.project.project.as_deref().or(group.project.as_deref());
    Session::open(context, Server::Configured, project)
}

async fn uuid(session: &Session<'_>, group: &Group, target: &Target) -> Result<String, Failure> {
    run_reference::find(session, target.reference().or(group.uid.as_deref())).await
}

/// The run that is meant, in full.
async fn detail(session: &Session<'_>, group: &Group, target: &Target) -> Result<Run, Failure> {
    let uuid = uuid(session, group, target).await?;
    match runs::get(&session.client, &session.place, &uuid).await {
        Ok(run) => Ok(run),
        Err(error) => Err(session.explain(error, Some(&uuid)).await),
    }
}

fn refuse_offline(offline: &OfflineArgs) -> Result<(), Failure> {
    if offline.offline || offline.path.is_some() { Err(Failure::unsupported("--offline")) } else { Ok(()) }
}
