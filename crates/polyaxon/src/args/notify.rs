//! Arguments of `notify`.

use clap::Args;

/// Tell somebody how a run ended.
///
/// With --connection the server does it: it keeps the message until it is sent. With --backend this command does it, by
/// the settings in the variable that is called like the backend.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    polyaxon notify --connection chat --uuid UUID --condition '{\"type\": \"failed\"}'\n  \
    slack='[{\"url\": \"https://hooks.slack.com/...\"}]' polyaxon notify --backend slack --owner default \\\n    \
    --project quick-start --uuid UUID --condition '{\"type\": \"failed\"}'")]
pub(crate) struct NotifyArgs {
    /// A connection of the server.
    #[arg(long, value_name = "NAME", required_unless_present = "backend", conflicts_with = "backend")]
    pub(crate) connection: Option<String>,

    /// slack, discord, mattermost, teams, pagerduty, hipchat, webhook or email.
    #[arg(long, value_name = "KIND")]
    pub(crate) backend: Option<String>,

    /// The owner of the project.
    #[arg(long)]
    pub(crate) owner: Option<String>,

    /// The project of the run.
    #[arg(long, short)]
    pub(crate) project: Option<String>,

    /// The run.
    #[arg(long)]
    pub(crate) uuid: String,

    /// The name of the run.
    #[arg(long, short)]
    pub(crate) name: Option<String>,

    /// The kind of the run.
    #[arg(long)]
    pub(crate) kind: Option<String>,

    /// What happened, as JSON: type, reason, message, last_transition_time.
    #[arg(long, value_name = "JSON")]
    pub(crate) condition: String,

    /// The status, when it is not the type of the condition.
    #[arg(long)]
    pub(crate) status: Option<String>,

    /// How long the run waited.
    #[arg(long, alias = "wait_time")]
    pub(crate) wait_time: Option<String>,

    /// How long the run worked.
    #[arg(long)]
    pub(crate) duration: Option<String>,

    /// The inputs of the run.
    #[arg(long)]
    pub(crate) inputs: Option<String>,

    /// The outputs of the run.
    #[arg(long)]
    pub(crate) outputs: Option<String>,
}
