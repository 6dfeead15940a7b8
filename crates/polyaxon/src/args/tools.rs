//! Arguments of the commands that show how a file is understood: `compile`, `explain`, `schema`.

use clap::{Args, ValueEnum};

use crate::args::global::{Format, ProjectOption, Target};
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

/// Explain a run: why it waits, failed or was skipped; or a field of the polyaxonfile, or a code of a message.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    polyaxon explain @last                           why a run is as it is\n  \
    polyaxon explain termination.maxRetries\n  \
    polyaxon explain run.job.container\n  \
    polyaxon explain maxRetries                      where a field of this name is\n  \
    polyaxon explain PLX0202\n  \
    polyaxon explain --all                           every code")]
pub(crate) struct ExplainArgs {
    /// A run by its uuid, the start of it (4 characters with a digit) or @last; a field by its path, `run` for the kinds of runtime; or a
    /// code: `PLX0202`, `plx202` or `202`.
    #[arg(value_name = "RUN|FIELD|CODE", required_unless_present_any = ["all", "uid"])]
    pub(crate) subject: Option<String>,

    /// A run, also by its name.
    #[arg(long, alias = "uuid", alias = "id", value_name = "RUN", conflicts_with = "subject")]
    pub(crate) uid: Option<String>,

    #[command(flatten)]
    pub(crate) project: ProjectOption,

    /// List every code.
    #[arg(long)]
    pub(crate) all: bool,

    #[command(flatten)]
    pub(crate) format: Format,
}

impl ExplainArgs {
    /// The run that is meant, if the subject is none of the language.
    pub(crate) fn run(&self) -> Option<Target> {
        let subject = self.uid.as_deref().or(self.subject.as_deref().filter(|subject| is_run(subject)))?;
        Some(Target { run: Some(subject.to_owned()), uid: None, project: self.project.clone() })
    }
}

/// Runs are named by `@` or by hexadecimal digits, of which at least one is no letter, as fields are words. Digits alone
/// are a run when they are too many for a code.
fn is_run(subject: &str) -> bool {
    let is_hex = subject.chars().all(|letter| letter.is_ascii_hexdigit() || letter == '-');
    let is_full = is_hex && matches!(subject.len(), 32 | 36);
    let is_prefix = is_hex
        && subject.len() >= 4
        && subject.contains(|letter: char| letter.is_ascii_digit())
        && (subject.len() > CODE_DIGITS || subject.contains(|letter: char| letter.is_ascii_alphabetic()));
    subject.starts_with('@') || is_full || is_prefix
}

const CODE_DIGITS: usize = 4;

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
