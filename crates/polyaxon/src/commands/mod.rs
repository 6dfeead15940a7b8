//! One file per command group: arguments and settings in, data out.

pub(crate) mod admin;
pub(crate) mod check;
pub(crate) mod compile;
pub(crate) mod completion;
pub(crate) mod config;
pub(crate) mod explain;
pub(crate) mod fix;
pub(crate) mod lsp;
pub(crate) mod notify;
pub(crate) mod ops;
pub(crate) mod project;
pub(crate) mod queues;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod server;
pub(crate) mod tuner;
pub(crate) mod version;
pub(crate) mod versions;

use crate::args::Command;
use crate::args::global::OutputFormat;
use crate::commands::versions::Kind;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report;
use crate::session::Context;

/// Runs a command and prints why it failed; the exit code says how it ended.
pub(crate) fn execute(context: &Context, command: Option<Command>) -> Exit {
    let Some(command) = command else { return welcome(context) };
    let format = format(&command);
    dispatch(context, command).unwrap_or_else(|failure| report::failure(&context.printer, &format, &failure))
}

fn dispatch(context: &Context, command: Command) -> Result<Exit, Failure> {
    if context.global.offline && !matches!(command, Command::Run(_)) {
        return Err(Failure::unsupported("--offline"));
    }
    match command {
        Command::Run(args) => run::run(context, &args),
        Command::Check(args) => check::check(context, &args),
        Command::Ops(args) => ops::run(context, args),
        Command::Project(args) => project::run(context, args),
        Command::Queues(args) => queues::run(context, args),
        Command::Models(args) => versions::run(context, Kind::Model, args),
        Command::Artifacts(args) => versions::run(context, Kind::Artifact, args),
        Command::Components(args) => versions::run(context, Kind::Component, args),
        Command::Config(args) => config::run(context, args),
        Command::Server(args) => server::run(context, args),
        Command::Admin(args) => admin::run(context, args),
        Command::Version(args) => version::run(context, &args),
        Command::Completion(args) => completion::run(context, &args),
        Command::Compile(args) => compile::run(context, &args),
        Command::Explain(args) => explain::run(context, &args),
        Command::Schema(args) => schema::run(context, &args),
        Command::Lsp(_) => lsp::run(),
        Command::Tuner(args) => tuner::run(context, &args),
        Command::Notify(args) => notify::run(context, &args),
        Command::Official(official) => Err(Failure::unsupported(official.name())),
    }
}

/// What the bare program says: enough to take the next step.
fn welcome(context: &Context) -> Exit {
    let text = "\
polyaxon runs machine learning operations that are written as files.

  polyaxon run -f operation.yaml -l    run a file and follow its logs
  polyaxon check -f operation.yaml     find the mistakes in a file
  polyaxon ops ls                      list runs
  polyaxon ops logs @last              logs of the last run
  polyaxon server status               the local server
  polyaxon --help                      every command";
    match context.printer.line(text) {
        Ok(()) => Exit::Ok,
        Err(failure) => failure.exit,
    }
}

/// The output format of a command, for errors that happen before or while it runs.
fn format(command: &Command) -> OutputFormat {
    use crate::args::admin::AdminCommand;
    use crate::args::config::ConfigCommand;
    use crate::args::ops::OpsCommand;
    use crate::args::project::ProjectCommand;
    use crate::args::server::ServerCommand;
    use crate::args::versions::VersionsCommand;
    let format = match command {
        Command::Run(args) => &args.format.output,
        Command::Check(args) => &args.format.output,
        Command::Version(args) => &args.format.output,
        Command::Ops(args) => match &args.command {
            OpsCommand::Ls(args) => &args.format.output,
            OpsCommand::Get(args) => &args.format.output,
            OpsCommand::Statuses(args) => &args.format.output,
            OpsCommand::Logs(args) => &args.format.output,
            OpsCommand::Watch(args) => &args.format.output,
            OpsCommand::Explain(args) => &args.format.output,
            OpsCommand::Restart(args) => &args.changes.format.output,
            OpsCommand::Resume(args) => &args.changes.format.output,
            OpsCommand::Update(args) => &args.format.output,
            OpsCommand::Artifacts(args) => &args.format.output,
            _ => &OutputFormat::Table,
        },
        Command::Project(args) => match &args.command {
            ProjectCommand::Create(args) => &args.format.output,
            ProjectCommand::Ls(args) => &args.output,
            ProjectCommand::Get(args) => &args.format.output,
            ProjectCommand::Update(args) => &args.format.output,
            ProjectCommand::Delete(_) | ProjectCommand::Dashboard(_) => &OutputFormat::Table,
        },
        Command::Queues(args) => args.command.output(),
        Command::Config(args) => match &args.command {
            Some(ConfigCommand::Show(args)) => &args.format.output,
            Some(ConfigCommand::Get(args)) => &args.format.output,
            _ => &OutputFormat::Table,
        },
        Command::Server(args) => match &args.command {
            Some(ServerCommand::Status(args)) => &args.format.output,
            _ => &OutputFormat::Table,
        },
        Command::Models(args) | Command::Artifacts(args) | Command::Components(args) => match &args.command {
            VersionsCommand::Ls(args) => &args.format.output,
            VersionsCommand::Get(args) => &args.format.output,
            VersionsCommand::Register(args) => &args.format.output,
            VersionsCommand::Stage(args) => &args.format.output,
            VersionsCommand::Stages(args) => &args.format.output,
            VersionsCommand::Update(args) => &args.format.output,
            VersionsCommand::Copy(args) => &args.format.output,
            _ => &OutputFormat::Table,
        },
        Command::Admin(args) => match &args.command {
            AdminCommand::Backup(args) => &args.format.output,
            AdminCommand::Restore(args) => &args.format.output,
            AdminCommand::Fsck(args) => &args.format.output,
            AdminCommand::Upgrade(args) => &args.format.output,
            _ => &OutputFormat::Table,
        },
        Command::Compile(args) => &args.format.output,
        Command::Explain(args) => &args.format.output,
        Command::Completion(_)
        | Command::Schema(_)
        | Command::Lsp(_)
        | Command::Tuner(_)
        | Command::Notify(_)
        | Command::Official(_) => &OutputFormat::Table,
    };
    format.clone()
}
