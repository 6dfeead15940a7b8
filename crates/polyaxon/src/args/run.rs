//! Arguments of `polyaxon run`: the official options with their spellings.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use crate::args::global::{FollowArgs, Format, ProjectOption};

/// Run an operation: read it, check it, submit it, and follow it on request.
///
/// The source is a polyaxonfile (-f, several are overlays), a URL, a component of the hub, or a container that is
/// described by options. Without a source, polyaxonfile.yaml (or another official name) of the current folder is used.
#[derive(Args, Clone, Debug, Default)]
#[command(after_help = "Examples:\n  \
    polyaxon run -f operation.yaml -P epochs=3 -P lr=0.01\n  \
    polyaxon run -f component.yaml -f gpu-preset.yaml -l        the second file is laid over the first\n  \
    polyaxon run --url https://example.com/component.yaml\n  \
    polyaxon run --hub tensorboard -P uuid=3fa9\n  \
    polyaxon run --cmd 'python train.py' --env EPOCHS=3 -w\n  \
    polyaxon run -f operation.yaml -u -l                        send the current folder along\n\n\
    Exit codes with -w or -l: 0 succeeded, 10 failed, 11 stopped, 12 skipped. Ctrl-C only detaches.")]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,

    #[command(flatten)]
    pub(crate) inline: InlineArgs,

    #[command(flatten)]
    pub(crate) settings: SettingArgs,

    #[command(flatten)]
    pub(crate) matrix: MatrixArgs,

    #[command(flatten)]
    pub(crate) upload: UploadArgs,

    #[command(flatten)]
    pub(crate) after: AfterArgs,

    #[command(flatten)]
    pub(crate) format: Format,
}

#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "What to run")]
pub(crate) struct SourceArgs {
    /// A polyaxonfile; further ones are laid over the first in order. `-` reads stdin.
    #[arg(long = "file", short = 'f', value_name = "FILE", action = ArgAction::Append)]
    pub(crate) files: Vec<String>,

    /// A Python file that holds the operation as an object: `file.py` or `file.py:object`.
    #[arg(long, alias = "pm", value_name = "FILE", conflicts_with_all = ["url", "hub"])]
    pub(crate) python_module: Option<String>,

    /// A polyaxonfile at a URL.
    #[arg(long, value_name = "URL", conflicts_with = "hub")]
    pub(crate) url: Option<String>,

    /// A component of the hub: `name`, `name:version`, `owner/name:version`.
    #[arg(long, value_name = "COMPONENT")]
    pub(crate) hub: Option<String>,

    /// A value for an input: NAME=VALUE, the value read as YAML.
    #[arg(long = "params", visible_alias = "param", short = 'P', value_name = "NAME=VALUE", action = ArgAction::Append, allow_hyphen_values = true)]
    pub(crate) params: Vec<String>,

    /// Refuse params that the component does not declare.
    #[arg(long, overrides_with = "no_strict_params")]
    pub(crate) strict_params: bool,

    /// Accept params that the component does not declare.
    #[arg(long)]
    pub(crate) no_strict_params: bool,

    /// Presets to apply: a comma separated list of names.
    #[arg(long, value_name = "NAMES")]
    pub(crate) presets: Option<String>,

    /// Run even a document that is marked as a template.
    #[arg(long)]
    pub(crate) ignore_template: bool,
}

#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "The container")]
pub(crate) struct InlineArgs {
    /// The image of the container. Alone, it describes the whole job.
    #[arg(long, value_name = "IMAGE")]
    pub(crate) image: Option<String>,

    /// A line of shell; several run in order and stop at the first that fails.
    #[arg(long, value_name = "COMMAND", action = ArgAction::Append, allow_hyphen_values = true)]
    pub(crate) cmd: Vec<String>,

    /// An environment variable of the container.
    #[arg(long, value_name = "NAME=VALUE", action = ArgAction::Append, allow_hyphen_values = true)]
    pub(crate) env: Vec<String>,

    /// Processors: request, or `request..limit`: `1`, `500m..2`.
    #[arg(long, value_name = "AMOUNT")]
    pub(crate) cpu: Option<String>,

    /// Memory: request, or `request..limit`: `512Mi`, `1Gi..2Gi`.
    #[arg(long, value_name = "AMOUNT")]
    pub(crate) memory: Option<String>,

    /// Graphics processors.
    #[arg(long, value_name = "AMOUNT")]
    pub(crate) gpu: Option<String>,

    /// A port of the container; a run without a runtime becomes a service.
    #[arg(long, visible_alias = "ports", value_name = "PORT", action = ArgAction::Append)]
    pub(crate) port: Vec<String>,

    /// Allow exec and file access from outside; services only.
    #[arg(long)]
    pub(crate) sandbox: bool,
}

#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "The run")]
pub(crate) struct SettingArgs {
    #[command(flatten)]
    pub(crate) project: ProjectOption,

    /// A name for the run.
    #[arg(long, short, value_name = "NAME", allow_hyphen_values = true)]
    pub(crate) name: Option<String>,

    /// Tags: a comma separated list.
    #[arg(long, value_name = "TAGS")]
    pub(crate) tags: Option<String>,

    /// What the run is for.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) description: Option<String>,

    /// The queue: `queue` or `agent/queue`.
    #[arg(long, short, value_name = "QUEUE")]
    pub(crate) queue: Option<String>,

    /// The Kubernetes namespace.
    #[arg(long, alias = "ns", value_name = "NAMESPACE")]
    pub(crate) namespace: Option<String>,

    /// Whether an equal earlier run may be reused: yes or no.
    #[arg(long, value_name = "BOOL")]
    pub(crate) cache: Option<String>,

    #[arg(long, hide = true)]
    pub(crate) nocache: bool,

    /// Whether the run may start without an approval: yes or no.
    #[arg(long, alias = "ap", value_name = "BOOL")]
    pub(crate) approved: Option<String>,

    /// Approve by itself after this many seconds.
    #[arg(long, alias = "aa", value_name = "SECONDS")]
    pub(crate) approve_after: Option<u64>,

    /// Where to run: process, docker or k8s.
    #[arg(long, alias = "exc", value_name = "EXECUTOR")]
    pub(crate) executor: Option<String>,

    /// Use the local server whatever is configured.
    #[arg(long)]
    pub(crate) local: bool,

    /// Initialise the run from the repository that polyaxongit.yaml names.
    #[arg(long)]
    pub(crate) git_preset: bool,

    /// The revision for --git-preset.
    #[arg(long, value_name = "REVISION")]
    pub(crate) git_revision: Option<String>,
}

#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Search over hyper-parameters")]
pub(crate) struct MatrixArgs {
    /// A hyper-parameter: `lr=choice:[0.1,0.01]`, `lr=range:0:1:0.1`.
    #[arg(long = "hparams", visible_alias = "hparam", alias = "HP", value_name = "NAME=SPACE", action = ArgAction::Append, allow_hyphen_values = true)]
    pub(crate) hparams: Vec<String>,

    /// The kind of search: grid, random, ...
    #[arg(long, value_name = "KIND")]
    pub(crate) matrix_kind: Option<String>,

    /// How many runs at a time.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) matrix_concurrency: Option<u64>,

    /// How many runs in all.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) matrix_num_runs: Option<u64>,
}

#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Files to send along")]
pub(crate) struct UploadArgs {
    /// Upload the current folder before the run starts; .polyaxonignore is honoured.
    #[arg(long, short)]
    pub(crate) upload: bool,

    /// The folder to upload; implies --upload.
    #[arg(long, alias = "u-from", value_name = "FOLDER")]
    pub(crate) upload_from: Option<PathBuf>,

    /// Where to put it in the run's files (default `uploads`, `/` is the top); implies --upload.
    #[arg(long, alias = "u-to", value_name = "PATH")]
    pub(crate) upload_to: Option<String>,

    /// A further file or folder to upload: SOURCE[:TARGET].
    #[arg(long, short, value_name = "SOURCE[:TARGET]", action = ArgAction::Append)]
    pub(crate) mount: Vec<String>,

    /// What to do with symbolic links.
    #[arg(long, value_enum, default_value_t, value_name = "MODE")]
    pub(crate) symlink_mode: SymlinkMode,

    /// How many symbolic links a message may list.
    #[arg(long, default_value_t = 20, value_name = "NUMBER")]
    pub(crate) symlink_report_limit: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum SymlinkMode {
    /// Follow links that stay inside the folder.
    ResolveSafe,
    /// Leave links out and say so.
    #[default]
    Skip,
    /// Refuse to upload a folder with links.
    Error,
    /// Follow every link.
    ResolveAll,
}

#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Afterwards")]
pub(crate) struct AfterArgs {
    #[command(flatten)]
    pub(crate) follow: FollowArgs,

    /// Open a shell in the running container.
    #[arg(long, short)]
    pub(crate) shell: bool,
}
