//! Arguments of `polyaxon project`.

use clap::{Args, Subcommand};

use crate::args::global::{Format, OutputFormat, ProjectOption, Yes};

/// Create, list, change and delete projects.
#[derive(Args, Debug)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Examples:\n  polyaxon project create --name mnist\n  polyaxon project ls\n  polyaxon project get -p mnist -o json"
)]
pub(crate) struct ProjectArgs {
    #[arg(long = "project", short = 'p', hide = true, value_name = "PROJECT")]
    pub(crate) group_project: Option<String>,

    #[command(subcommand)]
    pub(crate) command: ProjectCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProjectCommand {
    Create(CreateArgs),
    Ls(LsArgs),
    Get(GetArgs),
    Update(UpdateArgs),
    Delete(DeleteArgs),
    #[command(hide = true)]
    Dashboard(super::Anything),
}

/// Create a project.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  polyaxon project create --name mnist --description 'digits' --tags vision,demo")]
pub(crate) struct CreateArgs {
    /// The name: letters, digits, - and _; `owner/name` is accepted.
    #[arg(long, short, value_name = "NAME", required_unless_present = "name_word")]
    pub(crate) name: Option<String>,

    /// The name, by position.
    #[arg(value_name = "NAME", conflicts_with = "name")]
    pub(crate) name_word: Option<String>,

    /// What the project is for.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) description: Option<String>,

    /// Tags: a comma separated list.
    #[arg(long, value_name = "TAGS")]
    pub(crate) tags: Option<String>,

    #[arg(long, hide = true)]
    pub(crate) public: bool,

    /// Use the project for everything that is run in this folder.
    #[arg(long)]
    pub(crate) init: bool,

    #[command(flatten)]
    pub(crate) format: Format,
}

/// List projects.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  polyaxon project ls\n  polyaxon project ls -q 'name:%mnist%' -s -created_at --output json"
)]
pub(crate) struct LsArgs {
    /// The owner whose projects are listed.
    #[arg(long, short, value_name = "OWNER")]
    pub(crate) owner: Option<String>,

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

    /// Output format; `-o` means the owner here, as in the official program.
    #[arg(long, value_name = "FORMAT", default_value = "table", hide_default_value = true)]
    pub(crate) output: OutputFormat,
}

/// Show a project.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  polyaxon project get -p mnist\n  polyaxon project get mnist -o yaml")]
pub(crate) struct GetArgs {
    #[command(flatten)]
    pub(crate) project: NamedProject,

    #[command(flatten)]
    pub(crate) format: Format,
}

/// Change the name, description or tags of a project.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  polyaxon project update -p mnist --description 'digits, again' --tags vision")]
pub(crate) struct UpdateArgs {
    #[command(flatten)]
    pub(crate) project: NamedProject,

    /// The new name.
    #[arg(long, short, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// The new description.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) description: Option<String>,

    /// The new tags: a comma separated list.
    #[arg(long, value_name = "TAGS")]
    pub(crate) tags: Option<String>,

    #[arg(long, hide = true, value_name = "BOOL")]
    pub(crate) private: Option<String>,

    #[command(flatten)]
    pub(crate) format: Format,
}

/// Delete a project and all its runs.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  polyaxon project delete -p mnist\n  polyaxon project delete mnist --yes")]
pub(crate) struct DeleteArgs {
    #[command(flatten)]
    pub(crate) project: NamedProject,

    #[command(flatten)]
    pub(crate) yes: Yes,
}

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct NamedProject {
    #[command(flatten)]
    pub(crate) project: ProjectOption,

    /// The project, by position.
    #[arg(value_name = "PROJECT", conflicts_with = "project")]
    pub(crate) project_word: Option<String>,
}

impl NamedProject {
    pub(crate) fn reference(&self) -> Option<&str> {
        self.project_word.as_deref().or(self.project.project.as_deref())
    }
}
