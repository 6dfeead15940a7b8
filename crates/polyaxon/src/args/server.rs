//! Arguments of `polyaxon server`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::args::global::Format;

/// Run the server in the foreground, or manage the one in the background.
#[derive(Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  \
        polyaxon server                        in the foreground, Ctrl-C ends it\n  \
        polyaxon server --port 8123 --capacity 2\n  \
        polyaxon server --database postgres://ann@db.example/polyaxon\n  \
        polyaxon server status\n  \
        polyaxon server stop                   jobs keep running and are found again\n  \
        polyaxon server logs -f"
)]
pub(crate) struct ServerArgs {
    #[command(flatten)]
    pub(crate) options: ServeOptions,

    #[command(subcommand)]
    pub(crate) command: Option<ServerCommand>,
}

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ServeOptions {
    /// The address to listen on.
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    pub(crate) host: String,

    /// The port; without it 8000, or the next free one.
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<u16>,

    /// Keep the records in PostgreSQL, at postgres://USER:PASSWORD@HOST:PORT/DATABASE, or in another file. Other users
    /// of this machine can read options, so give a password with POLYAXON_DATABASE_URL instead.
    #[arg(long, value_name = "ADDRESS", env = "POLYAXON_DATABASE_URL", hide_env_values = true)]
    pub(crate) database: Option<String>,

    /// What an acknowledged write survives. PostgreSQL decides that by its own settings.
    #[arg(long, value_enum, default_value_t, value_name = "LEVEL")]
    pub(crate) durability: DurabilityLevel,

    /// The folder of the database, the artifacts and the logs.
    #[arg(long, value_name = "FOLDER", env = "POLYAXON_HOME", hide_env_values = true)]
    pub(crate) home: Option<PathBuf>,

    /// A further host name of this server, and of pages that may use it; `*.name` means all names below. Repeatable.
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_host: Vec<String>,

    /// Serve the API only; execute nothing.
    #[arg(long)]
    pub(crate) no_agent: bool,

    /// How many runs execute at a time (default: the number of processors).
    #[arg(long, value_name = "NUMBER")]
    pub(crate) capacity: Option<usize>,

    /// How many processors the active runs may ask for together (default: those of the machine).
    #[arg(long, value_name = "NUMBER", env = "POLYAXON_LOCAL_CPUS", hide_env_values = true)]
    pub(crate) cpus: Option<String>,

    /// How much memory the active runs may ask for together, for example 12Gi (default: that of the machine).
    #[arg(long, value_name = "AMOUNT", env = "POLYAXON_LOCAL_MEMORY", hide_env_values = true)]
    pub(crate) memory: Option<String>,

    /// How many GPUs runs may have, each for itself (default: those that the machine shows).
    #[arg(long, value_name = "NUMBER", env = "POLYAXON_LOCAL_GPUS", hide_env_values = true)]
    pub(crate) gpus: Option<String>,

    /// The connections of runs and notifications, a YAML file (default: connections.yaml in the home folder).
    #[arg(long, value_name = "FILE", env = "POLYAXON_CONNECTIONS_FILE", hide_env_values = true)]
    pub(crate) connections: Option<PathBuf>,

    /// Detach from the terminal: how `run` starts it.
    #[arg(long, hide = true)]
    pub(crate) background: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum DurabilityLevel {
    /// The end of the server's process, however sudden.
    #[default]
    Normal,
    /// A loss of power too; every write waits for the disk.
    Full,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ServerCommand {
    /// Start the server in the background.
    #[command(after_help = "Examples:\n  polyaxon server start\n  polyaxon server start --port 8123")]
    Start(ServeOptions),
    Stop(StopArgs),
    Status(StatusArgs),
    Logs(LogsArgs),
}

/// Stop the server in the background. Jobs keep running and are found again by the next server.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  polyaxon server stop")]
pub(crate) struct StopArgs {
    #[command(flatten)]
    pub(crate) home: HomeOption,
}

/// Show whether a server runs for this home, and where.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  polyaxon server status\n  polyaxon server status -o json\n\nExit codes: 0 running, 6 not running."
)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) home: HomeOption,

    #[command(flatten)]
    pub(crate) format: Format,
}

/// Show what the server in the background wrote.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  polyaxon server logs\n  polyaxon server logs -f")]
pub(crate) struct LogsArgs {
    #[command(flatten)]
    pub(crate) home: HomeOption,

    /// Wait for more.
    #[arg(long, short)]
    pub(crate) follow: bool,
}

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct HomeOption {
    /// The home folder of the server.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) home: Option<PathBuf>,
}
