//! Arguments of `polyaxon queues`.

use clap::{Args, Subcommand};

use crate::args::global::{Format, OutputFormat, Yes};

/// Manage queues: how many runs start at a time, in which order, and with how much of the machine.
#[derive(Args, Debug)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "A run names its queue in its file (`queue: gpu`) or with `polyaxon run --queue gpu`; without one it waits in\n\
        the queue `default`. Queues of an agent are named AGENT/QUEUE; `local` is the agent inside of the server.\n\n\
        Examples:\n  \
        polyaxon queues create gpu --resource gpu --quota 2 --priority 10\n  \
        polyaxon queues ls\n  \
        polyaxon queues update default --concurrency 4\n  \
        polyaxon queues delete gpu --reassign"
)]
pub(crate) struct QueuesArgs {
    #[command(subcommand)]
    pub(crate) command: QueuesCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum QueuesCommand {
    Ls(QueuesLsArgs),
    Get(QueuesGetArgs),
    Create(QueuesCreateArgs),
    Update(QueuesUpdateArgs),
    Delete(QueuesDeleteArgs),
}

/// List queues.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  polyaxon queues ls\n  polyaxon queues ls --agent local -o json")]
pub(crate) struct QueuesLsArgs {
    /// Only those of this agent.
    #[arg(long, value_name = "AGENT")]
    pub(crate) agent: Option<String>,

    #[command(flatten)]
    pub(crate) format: Format,
}

/// Show a queue with how busy it is.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  polyaxon queues get gpu\n  polyaxon queues get local/gpu -o json")]
pub(crate) struct QueuesGetArgs {
    /// The queue: QUEUE or AGENT/QUEUE.
    #[arg(value_name = "QUEUE")]
    pub(crate) queue: String,

    #[command(flatten)]
    pub(crate) format: Format,
}

/// Create a queue.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    polyaxon queues create nightly --priority -5 --concurrency 2\n  \
    polyaxon queues create gpu --resource gpu --quota 2 --description 'at most two GPUs'")]
pub(crate) struct QueuesCreateArgs {
    /// The queue: QUEUE or AGENT/QUEUE.
    #[arg(value_name = "QUEUE")]
    pub(crate) queue: String,

    #[command(flatten)]
    pub(crate) fields: QueueFields,

    #[command(flatten)]
    pub(crate) format: Format,
}

/// Change a queue. A lower limit ends nothing: what is active drains.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    polyaxon queues update default --concurrency 4\n  \
    polyaxon queues update gpu --concurrency -1\n  \
    polyaxon queues update nightly --concurrency 0    pauses it")]
pub(crate) struct QueuesUpdateArgs {
    /// The queue: QUEUE or AGENT/QUEUE.
    #[arg(value_name = "QUEUE")]
    pub(crate) queue: String,

    /// The new name.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    #[command(flatten)]
    pub(crate) fields: QueueFields,

    #[command(flatten)]
    pub(crate) format: Format,
}

/// Delete a queue. One in which runs wait is kept, unless they may move.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  polyaxon queues delete gpu\n  polyaxon queues delete gpu --reassign --yes")]
pub(crate) struct QueuesDeleteArgs {
    /// The queue: QUEUE or AGENT/QUEUE.
    #[arg(value_name = "QUEUE")]
    pub(crate) queue: String,

    /// Move runs that wait in it to the default queue.
    #[arg(long)]
    pub(crate) reassign: bool,

    #[command(flatten)]
    pub(crate) yes: Yes,
}

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct QueueFields {
    /// Larger goes first (default 0); -1 goes before all.
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    pub(crate) priority: Option<i64>,

    /// How many of its runs may be active at a time; -1 is any number, 0 pauses the queue.
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    pub(crate) concurrency: Option<i64>,

    /// What the quota is counted in: cpu, memory, gpu, custom or cost.
    #[arg(long, value_name = "RESOURCE")]
    pub(crate) resource: Option<String>,

    /// The most that its active runs may ask for together: 500m, 8, 5Gi.
    #[arg(long, value_name = "AMOUNT")]
    pub(crate) quota: Option<String>,

    /// What the queue is for.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) description: Option<String>,

    /// Tags: a comma separated list.
    #[arg(long, value_name = "TAGS")]
    pub(crate) tags: Option<String>,
}

impl QueuesCommand {
    pub(crate) fn output(&self) -> &OutputFormat {
        match self {
            QueuesCommand::Ls(args) => &args.format.output,
            QueuesCommand::Get(args) => &args.format.output,
            QueuesCommand::Create(args) => &args.format.output,
            QueuesCommand::Update(args) => &args.format.output,
            QueuesCommand::Delete(_) => &OutputFormat::Table,
        }
    }
}
