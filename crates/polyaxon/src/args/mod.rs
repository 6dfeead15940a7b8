//! The command line as types; the doc comments are the help texts. No logic, no I/O.

pub(crate) mod admin;
pub(crate) mod check;
pub(crate) mod config;
pub(crate) mod global;
pub(crate) mod notify;
#[cfg(test)]
mod official;
pub(crate) mod ops;
pub(crate) mod project;
pub(crate) mod queues;
pub(crate) mod run;
pub(crate) mod server;
pub(crate) mod tools;
pub(crate) mod tuner;
pub(crate) mod versions;

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;

use crate::args::global::{Format, Global};
use crate::argv;
use crate::exit::Exit;
use crate::suggest::nearest;

/// Machine learning operations as files: write a polyaxonfile, run it here or on a cluster, see what came out.
#[derive(Debug, Parser)]
#[command(
    name = "polyaxon",
    bin_name = "polyaxon",
    version,
    disable_help_subcommand = true,
    subcommand_required = false,
    max_term_width = 110,
    after_help = "Examples:\n  \
        polyaxon run -f operation.yaml -P epochs=3 -l     run a file and follow its logs\n  \
        polyaxon check -f operation.yaml                  find the mistakes in a file without running it\n  \
        polyaxon ops ls                                   list runs\n  \
        polyaxon ops logs @last                           logs of the last run\n\n\
        With nothing configured, a server of your own is started in the background when it is needed.\n\
        See `polyaxon COMMAND --help`, and `polyaxon explain` for any code in a message and any field of a file."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Reads the arguments of the process. Help, versions and mistakes are printed here, by clap.
pub(crate) fn parse(arguments: Vec<OsString>) -> Result<Cli, Exit> {
    let command = Cli::command();
    let arguments = argv::rewrite(&command, arguments);
    let parsed = command.try_get_matches_from(arguments).and_then(|matches| Cli::from_arg_matches(&matches));
    parsed.map_err(|mut error| {
        suggest_command(&mut error);
        // Nobody is left to tell when the terminal is gone.
        let _ = error.print();
        if error.use_stderr() { Exit::Usage } else { Exit::Ok }
    })
}

/// clap finds similar words by their letters in order and misses swapped ones.
fn suggest_command(error: &mut clap::Error) {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else { return };
    if error.get(ContextKind::SuggestedSubcommand).is_some() {
        return;
    }
    let root = Cli::command();
    let names = root.get_subcommands().filter(|command| !command.is_hide_set()).map(clap::Command::get_name);
    if let Some(name) = nearest(word, names) {
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(vec![name.to_owned()]));
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(Box<run::RunArgs>),
    Check(check::CheckArgs),
    Ops(ops::OpsArgs),
    #[command(visible_alias = "projects")]
    Project(project::ProjectArgs),
    #[command(visible_alias = "queue")]
    Queues(queues::QueuesArgs),
    /// Versions of models: register, list, show, change, stage, copy, move and delete them.
    Models(versions::VersionsArgs),
    /// Versions of artifacts: register, list, show, change, stage, copy, move and delete them.
    Artifacts(versions::VersionsArgs),
    /// Versions of components: register, list, show, change, stage, copy, move and delete them.
    Components(versions::VersionsArgs),
    Config(config::ConfigArgs),
    Server(server::ServerArgs),
    Admin(admin::AdminArgs),
    Version(VersionArgs),
    Completion(CompletionArgs),
    Compile(Box<tools::CompileArgs>),
    Explain(tools::ExplainArgs),
    Schema(tools::SchemaArgs),
    Lsp(tools::LspArgs),
    Tuner(tuner::TunerArgs),
    Notify(Box<notify::NotifyArgs>),
    #[command(flatten)]
    Official(Official),
}

/// Print the version of this program, and on request the server's.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  polyaxon version\n  polyaxon version -o json\n  polyaxon version --check")]
pub(crate) struct VersionArgs {
    /// Ask the configured server for its version too.
    #[arg(long)]
    pub(crate) check: bool,

    #[command(flatten)]
    pub(crate) format: Format,
}

/// Print the completion script of a shell.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    polyaxon completion bash > ~/.local/share/bash-completion/completions/polyaxon\n  \
    polyaxon completion zsh > \"${fpath[1]}/_polyaxon\"\n  \
    polyaxon completion fish > ~/.config/fish/completions/polyaxon.fish")]
pub(crate) struct CompletionArgs {
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

/// Commands of the official program that this version does not have. They are known so that the answer can say so.
#[derive(Debug, Subcommand)]
pub(crate) enum Official {
    #[command(hide = true)]
    Sandbox(Anything),
    #[command(hide = true)]
    Ssh(Anything),
    #[command(hide = true)]
    Init(Anything),
    #[command(hide = true)]
    Login(Anything),
    #[command(hide = true)]
    Logout(Anything),
    #[command(hide = true)]
    Whoami(Anything),
    #[command(hide = true)]
    Dashboard(Anything),
    #[command(hide = true)]
    PortForward(Anything),
    #[command(hide = true)]
    Upgrade(Anything),
}

/// Whatever follows the name of the command.
#[derive(Args, Debug)]
#[command(disable_help_flag = true)]
pub(crate) struct Anything {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    pub(crate) words: Vec<String>,
}

impl Official {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Official::Sandbox(_) => "sandbox",
            Official::Ssh(_) => "ssh",
            Official::Init(_) => "init",
            Official::Login(_) => "login",
            Official::Logout(_) => "logout",
            Official::Whoami(_) => "whoami",
            Official::Dashboard(_) => "dashboard",
            Official::PortForward(_) => "port-forward",
            Official::Upgrade(_) => "upgrade",
        }
    }
}
