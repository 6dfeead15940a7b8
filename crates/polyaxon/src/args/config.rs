//! Arguments of `polyaxon config`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::args::global::Format;

/// Read and change the settings: flag > environment > project folder > home folder > default.
#[derive(Args, Debug)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:\n  polyaxon config show --origin\n  polyaxon config set --host https://polyaxon.example.com\n  polyaxon config get host"
)]
pub(crate) struct ConfigArgs {
    /// Old spelling of `config show`.
    #[arg(long, short, hide = true)]
    pub(crate) list: bool,

    #[command(subcommand)]
    pub(crate) command: Option<ConfigCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    Show(ShowArgs),
    Get(GetArgs),
    Set(SetArgs),
    Purge(PurgeArgs),
}

/// Show every setting.
#[derive(Args, Debug, Default)]
#[command(
    after_help = "Examples:\n  polyaxon config show\n  polyaxon config show --origin\n  polyaxon config show -o json"
)]
pub(crate) struct ShowArgs {
    /// Show which layer each value comes from.
    #[arg(long)]
    pub(crate) origin: bool,

    #[command(flatten)]
    pub(crate) format: Format,
}

/// Show some settings.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  polyaxon config get host\n  polyaxon config get host verify-ssl")]
pub(crate) struct GetArgs {
    /// Names of settings, as `config show` lists them.
    #[arg(required = true, value_name = "KEY")]
    pub(crate) keys: Vec<String>,

    #[command(flatten)]
    pub(crate) format: Format,
}

/// Change settings of the home folder.
#[derive(Args, Debug)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:\n  polyaxon config set --host https://polyaxon.example.com\n  polyaxon config set --verify-ssl false --owner acme"
)]
pub(crate) struct SetArgs {
    /// The address of the server.
    #[arg(long, value_name = "URL")]
    pub(crate) host: Option<String>,

    /// Check the server's certificate.
    #[arg(long, value_name = "BOOL")]
    pub(crate) verify_ssl: Option<String>,

    /// Log requests.
    #[arg(long, value_name = "BOOL")]
    pub(crate) debug: Option<String>,

    /// Never call an API.
    #[arg(long, value_name = "BOOL")]
    pub(crate) no_api: Option<String>,

    /// The home folder of the official client's files.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) home: Option<PathBuf>,

    /// The owner (organization) that is used when none is named.
    #[arg(long, value_name = "OWNER")]
    pub(crate) owner: Option<String>,

    /// Kept for the official client; this program reports nothing to anybody.
    #[arg(long, value_name = "BOOL")]
    pub(crate) disable_errors_reporting: Option<String>,

    /// Keep the credentials when the host changes.
    #[arg(long)]
    pub(crate) no_purge: bool,
}

/// Delete the settings and caches of the home folder; runs and their files stay.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  polyaxon config purge\n  polyaxon config purge --cache-only")]
pub(crate) struct PurgeArgs {
    /// Only forget the cached project and run.
    #[arg(long)]
    pub(crate) cache_only: bool,
}
