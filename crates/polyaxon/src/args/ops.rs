//! Arguments of `polyaxon ops`.

use std::path::PathBuf;

use clap::{ArgAction, Args, Subcommand};

use crate::args::global::{FollowArgs, Format, ProjectOption, Target, Yes};

/// List, inspect and control runs.
#[derive(Args, Debug)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Examples:\n  \
        polyaxon ops ls -q 'status:failed' -s -created_at\n  \
        polyaxon ops get 3fa9\n  \
        polyaxon ops logs @last\n  \
        polyaxon ops stop train-mnist --yes\n\n\
        A run is named by its uuid, a unique prefix of it, its name, @last, @{2} or @-1; without any,\n\
        the run that was used last is meant."
)]
pub(crate) struct OpsArgs {
    #[arg(long = "project", short = 'p', hide = true, value_name = "PROJECT")]
    pub(crate) group_project: Option<String>,

    #[arg(long = "uid", alias = "uuid", alias = "id", hide = true, value_name = "RUN")]
    pub(crate) group_uid: Option<String>,

    #[command(subcommand)]
    pub(crate) command: OpsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OpsCommand {
    Ls(LsArgs),
    Get(GetArgs),
    Statuses(StatusesArgs),
    Logs(LogsArgs),
    Watch(WatchArgs),
    Explain(ExplainRunArgs),
    /// Stop a run.
    #[command(after_help = "Examples:\n  polyaxon ops stop 3fa9\n  polyaxon ops stop @last --yes")]
    Stop(ConfirmedArgs),
    Restart(RestartArgs),
    Resume(ResumeArgs),
    /// Delete a run and its files.
    #[command(after_help = "Examples:\n  polyaxon ops delete 3fa9\n  polyaxon ops delete 3fa9 --yes")]
    Delete(ConfirmedArgs),
    /// Skip a run that has not started.
    #[command(after_help = "Examples:\n  polyaxon ops skip 3fa9 --yes")]
    Skip(ConfirmedArgs),
    /// Approve a run that waits for a person.
    #[command(after_help = "Examples:\n  polyaxon ops approve 3fa9")]
    Approve(TargetArgs),
    /// Forget the result of a run, so that no later run reuses it.
    #[command(after_help = "Examples:\n  polyaxon ops invalidate 3fa9")]
    Invalidate(TargetArgs),
    ExplainCache(ExplainCacheArgs),
    Update(UpdateArgs),
    Transfer(TransferArgs),
    Artifacts(ArtifactsArgs),
    Upload(UploadArgs),
    #[command(flatten)]
    Official(OfficialOps),
}

/// List runs of a project.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    polyaxon ops ls\n  \
    polyaxon ops ls -q 'status:running, metrics.loss:<0.1' -s -created_at -l 50\n  \
    polyaxon ops ls -io -c name,status,in.lr,out.loss\n  \
    polyaxon ops ls -o name -q 'status:running'\n\n\
    The server lists runs of the last 30 days unless the query names created_at (created_at:_any_ lists all).")]
pub(crate) struct LsArgs {
    #[command(flatten)]
    pub(crate) project: ProjectOption,

    /// Which ones, in the query language.
    #[arg(long, short, value_name = "QUERY", allow_hyphen_values = true)]
    pub(crate) query: Option<String>,

    /// Fields to sort by; - in front means descending.
    #[arg(long, short, value_name = "FIELDS", allow_hyphen_values = true)]
    pub(crate) sort: Option<String>,

    /// How many.
    #[arg(long, short, value_name = "NUMBER", default_value_t = 20)]
    pub(crate) limit: u64,

    /// How many to leave out at the start.
    #[arg(long, alias = "off", value_name = "NUMBER")]
    pub(crate) offset: Option<u64>,

    /// Add a column for every input and output.
    #[arg(long)]
    pub(crate) io: bool,

    /// Columns to show: a comma separated list.
    #[arg(long, short, value_name = "COLUMNS")]
    pub(crate) columns: Option<String>,

    /// Runs of all times, not only of the last 30 days.
    #[arg(long)]
    pub(crate) all: bool,

    /// Write the table to results.csv.
    #[arg(long)]
    pub(crate) to_csv: bool,

    #[command(flatten)]
    pub(crate) offline: OfflineArgs,

    #[command(flatten)]
    pub(crate) format: Format,
}

/// Show a run: status, inputs, outputs, where it came from.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  polyaxon ops get @last\n  polyaxon ops get 3fa9 -o json")]
pub(crate) struct GetArgs {
    #[command(flatten)]
    pub(crate) target: Target,

    #[command(flatten)]
    pub(crate) offline: OfflineArgs,

    #[command(flatten)]
    pub(crate) format: Format,
}

/// Explain why a run was, or was not, cached: what its key is made of, and what the nearest earlier run differs in.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  polyaxon ops explain-cache 3fa9\n  polyaxon ops explain-cache @last -o json")]
pub(crate) struct ExplainCacheArgs {
    #[command(flatten)]
    pub(crate) target: Target,

    #[command(flatten)]
    pub(crate) format: Format,
}

/// Show the history of a run's status, or follow it.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  polyaxon ops statuses 3fa9\n  polyaxon ops statuses @last -w\n\n\
    Exit codes with -w: 0 succeeded, 10 failed, 11 stopped, 12 skipped.")]
pub(crate) struct StatusesArgs {
    #[command(flatten)]
    pub(crate) target: Target,

    /// Follow until the run ends.
    #[arg(long, short)]
    pub(crate) watch: bool,

    #[command(flatten)]
    pub(crate) offline: OfflineArgs,

    #[command(flatten)]
    pub(crate) format: Format,
}

/// Show the logs of a run; a run that has not ended is followed.
#[derive(Args, Debug)]
#[command(
    disable_help_flag = true,
    after_help = "Examples:\n  polyaxon ops logs @last\n  polyaxon ops logs 3fa9 --no-follow --hide-time\n\n\
        Here -h means --hide-time, as in the official program."
)]
pub(crate) struct LogsArgs {
    #[command(flatten)]
    pub(crate) target: Target,

    /// Print what there is and stop.
    #[arg(long, alias = "nf")]
    pub(crate) no_follow: bool,

    /// Leave the times out.
    #[arg(long, short = 'h')]
    pub(crate) hide_time: bool,

    /// Lines of all containers, also of init steps and helpers.
    #[arg(long)]
    pub(crate) all_containers: bool,

    /// Name the node, pod and container of each line.
    #[arg(long, short)]
    pub(crate) all_info: bool,

    #[command(flatten)]
    pub(crate) offline: OfflineArgs,

    #[command(flatten)]
    pub(crate) format: Format,

    /// Print help
    #[arg(long, action = ArgAction::Help)]
    help: Option<bool>,
}

/// Watch a run and everything below it until it ends.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  polyaxon ops watch @last\n  polyaxon ops watch 3fa9 -o json\n\n\
    On a terminal the tree is drawn in place; elsewhere there is a line for each new status, with -o json a JSON\n\
    object. Exit codes: 0 succeeded, 10 failed, 11 stopped, 12 skipped.")]
pub(crate) struct WatchArgs {
    #[command(flatten)]
    pub(crate) target: Target,

    #[command(flatten)]
    pub(crate) format: Format,
}

/// Say in plain words why a run waits, failed, was skipped, stopped or reused, and what to do.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  polyaxon ops explain @last\n  polyaxon explain 3fa9          the same\n  \
    polyaxon ops explain 3fa9 -o json")]
pub(crate) struct ExplainRunArgs {
    #[command(flatten)]
    pub(crate) target: Target,

    #[command(flatten)]
    pub(crate) format: Format,
}

#[derive(Args, Debug)]
pub(crate) struct TargetArgs {
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Args, Debug)]
pub(crate) struct ConfirmedArgs {
    #[command(flatten)]
    pub(crate) target: Target,

    #[command(flatten)]
    pub(crate) yes: Yes,

    #[command(flatten)]
    pub(crate) offline: OfflineArgs,
}

/// Start a new run like an old one, with changes on request.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    polyaxon ops restart 3fa9\n  \
    polyaxon ops restart 3fa9 -f changes.yaml\n  \
    polyaxon ops restart 3fa9 -w              and watch it until it ends\n  \
    polyaxon ops restart 3fa9 --copy          with the files of the old run\n  \
    polyaxon ops restart 3fa9 --from train    `train` of a dag and what follows it")]
pub(crate) struct RestartArgs {
    #[command(flatten)]
    pub(crate) target: Target,

    #[command(flatten)]
    pub(crate) changes: CloneArgs,

    /// Of a dag: run this operation and all that follow it; the others keep their results. OUTER.INNER in nested dags.
    #[arg(long, value_name = "OPERATION", action = ArgAction::Append, conflicts_with = "only")]
    pub(crate) from: Vec<String>,

    /// Of a dag: run this operation and nothing that follows it.
    #[arg(long, value_name = "OPERATION", action = ArgAction::Append)]
    pub(crate) only: Vec<String>,

    /// Copy the files of the old run.
    #[arg(long, short)]
    pub(crate) copy: bool,

    /// Copy a folder of the old run.
    #[arg(long, value_name = "FOLDER", action = ArgAction::Append)]
    pub(crate) copy_dir: Vec<String>,

    /// Copy a file of the old run.
    #[arg(long, value_name = "FILE", action = ArgAction::Append)]
    pub(crate) copy_file: Vec<String>,

    #[command(flatten)]
    pub(crate) follow: FollowArgs,
}

/// Run a finished run again under the same uuid, with its files and outputs.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  polyaxon ops resume 3fa9\n  polyaxon ops resume @last -w")]
pub(crate) struct ResumeArgs {
    #[command(flatten)]
    pub(crate) target: Target,

    #[command(flatten)]
    pub(crate) changes: CloneArgs,

    #[command(flatten)]
    pub(crate) follow: FollowArgs,
}

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct CloneArgs {
    /// A new name.
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub(crate) name: Option<String>,

    /// New tags: a comma separated list.
    #[arg(long, value_name = "TAGS")]
    pub(crate) tags: Option<String>,

    /// A new description.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) description: Option<String>,

    /// Changes to the operation, as a polyaxonfile that is laid over it.
    #[arg(long = "file", short = 'f', value_name = "FILE", action = ArgAction::Append)]
    pub(crate) files: Vec<PathBuf>,

    /// Compile the operation again instead of reusing what was compiled.
    #[arg(long)]
    pub(crate) recompile: bool,

    #[command(flatten)]
    pub(crate) format: Format,
}

/// Change the name, description or tags of a run.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  polyaxon ops update 3fa9 --name best --tags keep")]
pub(crate) struct UpdateArgs {
    #[command(flatten)]
    pub(crate) target: Target,

    /// The new name.
    #[arg(long, short, value_name = "NAME", allow_hyphen_values = true)]
    pub(crate) name: Option<String>,

    /// The new description.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) description: Option<String>,

    /// The new tags: a comma separated list.
    #[arg(long, value_name = "TAGS")]
    pub(crate) tags: Option<String>,

    #[command(flatten)]
    pub(crate) offline: OfflineArgs,

    #[command(flatten)]
    pub(crate) format: Format,
}

/// Move a run to another project.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  polyaxon ops transfer 3fa9 --to-project mnist")]
pub(crate) struct TransferArgs {
    #[command(flatten)]
    pub(crate) target: Target,

    /// The project to move it to.
    #[arg(long, alias = "to", value_name = "PROJECT")]
    pub(crate) to_project: String,
}

/// List or download the files of a run.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    polyaxon ops artifacts 3fa9                         list the files\n  \
    polyaxon ops artifacts 3fa9 --dir outputs           download a folder\n  \
    polyaxon ops artifacts 3fa9 -f outputs/model.json --path-to ./models")]
pub(crate) struct ArtifactsArgs {
    #[command(flatten)]
    pub(crate) target: Target,

    /// A file to download.
    #[arg(long = "file", short = 'f', value_name = "FILE", action = ArgAction::Append)]
    pub(crate) files: Vec<String>,

    /// A folder to download; `/` is everything.
    #[arg(long = "dir", short = 'd', value_name = "FOLDER", action = ArgAction::Append)]
    pub(crate) folders: Vec<String>,

    #[arg(long, alias = "l-name", hide = true, value_name = "NAME", action = ArgAction::Append)]
    pub(crate) lineage_name: Vec<String>,

    #[arg(long, alias = "l-kind", hide = true, value_name = "KIND", action = ArgAction::Append)]
    pub(crate) lineage_kind: Vec<String>,

    /// Where to put the downloads (default: the current folder).
    #[arg(long = "path-to", alias = "path", value_name = "FOLDER")]
    pub(crate) path: Option<PathBuf>,

    /// Keep a folder as .tar.gz.
    #[arg(long)]
    pub(crate) no_untar: bool,

    #[command(flatten)]
    pub(crate) format: Format,
}

/// Upload a folder into the files of a run.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  polyaxon ops upload 3fa9 --path-from ./data --path-to data")]
pub(crate) struct UploadArgs {
    #[command(flatten)]
    pub(crate) target: Target,

    /// The folder to upload (default: the current one).
    #[arg(long, value_name = "FOLDER")]
    pub(crate) path_from: Option<PathBuf>,

    /// Where to put it in the run's files (default `uploads`, `/` is the top).
    #[arg(long, value_name = "PATH")]
    pub(crate) path_to: Option<String>,

    #[arg(long, hide = true)]
    pub(crate) sync_failure: bool,

    #[arg(long, alias = "ag", hide = true, value_name = "AGENT")]
    pub(crate) agent: Option<String>,

    #[arg(long, hide = true)]
    pub(crate) ignore_agent_host: bool,

    /// What to do with symbolic links.
    #[arg(long, value_enum, default_value_t, value_name = "MODE")]
    pub(crate) symlink_mode: super::run::SymlinkMode,

    /// How many symbolic links a message may list.
    #[arg(long, default_value_t = 20, value_name = "NUMBER")]
    pub(crate) symlink_report_limit: usize,
}

/// The official offline options: known, refused when used.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct OfflineArgs {
    #[arg(long, hide = true)]
    pub(crate) offline: bool,

    #[arg(long, alias = "path-from", hide = true, value_name = "FOLDER")]
    pub(crate) path: Option<PathBuf>,
}

/// Subcommands of the official program that this version does not have.
#[derive(Debug, Subcommand)]
pub(crate) enum OfficialOps {
    #[command(hide = true)]
    Dashboard(super::Anything),
    #[command(hide = true)]
    Exec(super::Anything),
    #[command(hide = true)]
    Execute(super::Anything),
    #[command(hide = true)]
    Inspect(super::Anything),
    #[command(hide = true)]
    Pull(super::Anything),
    #[command(hide = true)]
    Push(super::Anything),
    #[command(hide = true)]
    Service(super::Anything),
    #[command(hide = true)]
    Shell(super::Anything),
}

impl OfficialOps {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            OfficialOps::Dashboard(_) => "ops dashboard",
            OfficialOps::Exec(_) => "ops exec",
            OfficialOps::Execute(_) => "ops execute",
            OfficialOps::Inspect(_) => "ops inspect",
            OfficialOps::Pull(_) => "ops pull",
            OfficialOps::Push(_) => "ops push",
            OfficialOps::Service(_) => "ops service",
            OfficialOps::Shell(_) => "ops shell",
        }
    }
}
