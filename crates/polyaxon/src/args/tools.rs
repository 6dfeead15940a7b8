//! Arguments of the commands that show how a file is understood: `compile`, `explain`, `schema`.

use clap::{Args, ValueEnum};

use crate::args::global::Format;
use crate::args::run::{InlineArgs, MatrixArgs, SourceArgs};

/// Show what a polyaxonfile becomes: with presets and params, composed, or with its templates rendered.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    polyaxon compile -f operation.yaml\n  \
    polyaxon compile -f component.yaml -P epochs=3 --stage resolved\n  \
    polyaxon compile -f operation.yaml -f preset.yaml --origin     where each value comes from\n\n\
    What only the server knows is filled in: the uuid is zeros, the times are missing.")]
pub(crate) struct CompileArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,

    #[command(flatten)]
    pub(crate) inline: InlineArgs,

    #[command(flatten)]
    pub(crate) matrix: MatrixArgs,

    /// How far to go.
    #[arg(long, value_enum, default_value_t, value_name = "STAGE")]
    pub(crate) stage: Stage,

    /// Say for each value which line, preset or option it comes from.
    #[arg(long)]
    pub(crate) origin: bool,

    #[command(flatten)]
    pub(crate) format: Format,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Stage {
    /// What is submitted: references read, options and presets applied.
    Operation,
    /// What the server stores: the layers as one.
    #[default]
    Compiled,
    /// What is executed: params are values, templates are text.
    Resolved,
}

/// Explain a field of the polyaxonfile, or a code that stands in a message.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    polyaxon explain termination.maxRetries\n  \
    polyaxon explain run.job.container\n  \
    polyaxon explain maxRetries                      where a field of this name is\n  \
    polyaxon explain PLX0202\n  \
    polyaxon explain --all                           every code")]
pub(crate) struct ExplainArgs {
    /// A field by its path, `run` for the kinds of runtime, or a code: `PLX0202`, `plx202` or `202`.
    #[arg(value_name = "FIELD|CODE", required_unless_present = "all")]
    pub(crate) subject: Option<String>,

    /// List every code.
    #[arg(long)]
    pub(crate) all: bool,

    #[command(flatten)]
    pub(crate) format: Format,
}

/// Print the JSON Schema of the polyaxonfile, for editors.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    polyaxon schema > polyaxonfile.schema.json\n\n\
    Editors with the YAML language server take it from a line at the top of a file:\n  \
    # yaml-language-server: $schema=./polyaxonfile.schema.json")]
pub(crate) struct SchemaArgs {}

/// Help editors with polyaxonfiles: a language server on stdin and stdout.
#[derive(Args, Debug)]
#[command(
    after_help = "Editors start this command themselves and show findings, completion, explanations and definitions.\n\
    docs/editors.md has the settings for VS Code, Neovim and Helix."
)]
pub(crate) struct LspArgs {
    /// Accepted because many editors add it; there is no other way to talk.
    #[arg(long, hide = true)]
    pub(crate) stdio: bool,
}
