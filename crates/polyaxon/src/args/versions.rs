//! Arguments of `polyaxon models`, `artifacts` and `components`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::args::global::{Format, ProjectOption, Yes};

/// Versions of a kind: register, list, show, change, stage, copy, move and delete them.
#[derive(Args, Debug)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Examples:\n  \
        polyaxon models register --version v1 --run-uid 3fa9 --artifacts model\n  \
        polyaxon models ls -q 'stage: production'\n  \
        polyaxon artifacts get -ver v1 -o json\n  \
        polyaxon components register -f component.yaml -ver v1\n  \
        polyaxon models stage -ver v1 -to production --reason Review"
)]
pub(crate) struct VersionsArgs {
    #[arg(long = "project", short = 'p', hide = true, value_name = "PROJECT")]
    pub(crate) group_project: Option<String>,

    #[arg(long = "version", alias = "ver", hide = true, value_name = "VERSION")]
    pub(crate) group_version: Option<String>,

    #[command(subcommand)]
    pub(crate) command: VersionsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum VersionsCommand {
    Ls(LsArgs),
    Get(GetArgs),
    Register(RegisterArgs),
    Stage(StageArgs),
    Stages(StagesArgs),
    Update(UpdateArgs),
    Copy(CopyArgs),
    Transfer(TransferArgs),
    Delete(DeleteArgs),
    #[command(hide = true)]
    Pull(super::Anything),
    #[command(hide = true)]
    Push(super::Anything),
    #[command(hide = true)]
    Dashboard(super::Anything),
}

/// The version a command works on.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct NamedVersion {
    #[command(flatten)]
    pub(crate) project: ProjectOption,

    /// The version (default: latest).
    #[arg(long, alias = "ver", value_name = "VERSION")]
    pub(crate) version: Option<String>,

    /// The version, by position.
    #[arg(value_name = "VERSION", id = "version_word", conflicts_with = "version")]
    pub(crate) version_word: Option<String>,
}

/// List versions.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  polyaxon models ls -p mnist\n  polyaxon models ls -q 'stage: production' -s -created_at"
)]
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
    #[arg(long, value_name = "NUMBER")]
    pub(crate) limit: Option<u64>,

    /// How many to leave out at the start.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) offset: Option<u64>,

    #[command(flatten)]
    pub(crate) format: Format,
}

/// Show a version.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  polyaxon models get -ver v1\n  polyaxon models get v1 -o json")]
pub(crate) struct GetArgs {
    #[command(flatten)]
    pub(crate) version: NamedVersion,

    #[command(flatten)]
    pub(crate) format: Format,
}

/// Register a version: of a run and its artifacts, or of a component file.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    polyaxon models register --version v1 --run-uid 3fa9 --artifacts model\n  \
    polyaxon artifacts register -ver v2 --content '{\"rows\": 3}' --tags a,b\n  \
    polyaxon components register -f component.yaml -ver v1 --force")]
pub(crate) struct RegisterArgs {
    #[command(flatten)]
    pub(crate) version: NamedVersion,

    /// The component file (components only).
    #[arg(long, short, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) texts: Texts,

    /// Anything to keep with the version, a JSON object (models and artifacts).
    #[arg(long, value_name = "JSON")]
    pub(crate) content: Option<String>,

    /// The run that the version comes from.
    #[arg(long, value_name = "RUN")]
    pub(crate) run_uid: Option<String>,

    /// Artifacts of the run's lineage: a comma separated list of names.
    #[arg(long, value_name = "NAMES")]
    pub(crate) artifacts: Option<String>,

    #[arg(long, hide = true, value_name = "NAME")]
    pub(crate) connection: Option<String>,

    /// Change the version when it exists.
    #[arg(long)]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) format: Format,
}

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Texts {
    /// What the version is.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) description: Option<String>,

    /// Tags: a comma separated list.
    #[arg(long, value_name = "TAGS")]
    pub(crate) tags: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Stage {
    Testing,
    Staging,
    Production,
    Disabled,
}

/// Move a version to a stage.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  polyaxon models stage -ver v1 -to production\n  \
    polyaxon models stage v1 --to staging --reason Review --message 'looks good'")]
pub(crate) struct StageArgs {
    #[command(flatten)]
    pub(crate) version: NamedVersion,

    /// The stage.
    #[arg(long, value_enum, ignore_case = true, value_name = "STAGE")]
    pub(crate) to: Stage,

    /// Why, in a word.
    #[arg(long, value_name = "WORD", default_value = "UserStageUpdate")]
    pub(crate) reason: String,

    /// Why, in a sentence.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) message: Option<String>,

    #[command(flatten)]
    pub(crate) format: Format,
}

/// Show the history of stages.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  polyaxon models stages -ver v1")]
pub(crate) struct StagesArgs {
    #[command(flatten)]
    pub(crate) version: NamedVersion,

    #[command(flatten)]
    pub(crate) format: Format,
}

/// Change the name, description or tags of a version.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  polyaxon models update -ver v1 --tags best --description 'after the fix'")]
pub(crate) struct UpdateArgs {
    #[command(flatten)]
    pub(crate) version: NamedVersion,

    /// The new name.
    #[arg(long, short, value_name = "NAME")]
    pub(crate) name: Option<String>,

    #[command(flatten)]
    pub(crate) texts: Texts,

    #[command(flatten)]
    pub(crate) format: Format,
}

/// Copy a version to another name or project.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  polyaxon models copy -ver v1 --name v1-copy\n  \
    polyaxon models copy -ver v1 -to other --force")]
pub(crate) struct CopyArgs {
    #[command(flatten)]
    pub(crate) version: NamedVersion,

    /// The project of the copy (default: the same).
    #[arg(long, alias = "to", value_name = "PROJECT")]
    pub(crate) to_project: Option<String>,

    /// The name of the copy (default: the same).
    #[arg(long, short, value_name = "NAME")]
    pub(crate) name: Option<String>,

    #[command(flatten)]
    pub(crate) texts: Texts,

    /// Another content for the copy (models and artifacts).
    #[arg(long, value_name = "JSON")]
    pub(crate) content: Option<String>,

    /// Change the version of that name when it exists.
    #[arg(long)]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) format: Format,
}

/// Move a version to another project.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  polyaxon models transfer -ver v1 --to-project other")]
pub(crate) struct TransferArgs {
    #[command(flatten)]
    pub(crate) version: NamedVersion,

    /// The project to move it to.
    #[arg(long, alias = "to", value_name = "PROJECT")]
    pub(crate) to_project: String,
}

/// Delete a version.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  polyaxon models delete -ver v1 --yes")]
pub(crate) struct DeleteArgs {
    #[command(flatten)]
    pub(crate) version: NamedVersion,

    #[command(flatten)]
    pub(crate) yes: Yes,
}
