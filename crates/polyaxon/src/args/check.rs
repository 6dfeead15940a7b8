//! Arguments of `polyaxon check`.

use clap::{Args, ValueEnum};

use crate::args::global::Format;
use crate::args::run::SourceArgs;

/// Read and check a polyaxonfile without running it: every mistake, with its place and what to do about it.
#[derive(Args, Clone, Debug, Default)]
#[command(after_help = "Examples:\n  \
    polyaxon check -f operation.yaml\n  \
    polyaxon check -f component.yaml -P epochs=3\n  \
    polyaxon check -f operation.yaml -f preset.yaml -o json\n  \
    polyaxon check -f operation.yaml --fix              rewrite old spellings, keep everything else\n  \
    polyaxon check -f operation.yaml --format github    annotations for GitHub Actions\n  \
    cat operation.yaml | polyaxon check -f -\n\n\
    Exit codes: 0 valid, 2 invalid. Warnings count only with --strict.")]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,

    /// Show the version of the specification.
    #[arg(long, short = 'v')]
    pub(crate) version: bool,

    /// Print the operation as it was understood.
    #[arg(long, short)]
    pub(crate) lint: bool,

    /// Treat warnings as errors.
    #[arg(long)]
    pub(crate) strict: bool,

    /// How findings are printed.
    #[arg(long = "format", value_enum, default_value_t, value_name = "FORMAT", hide_default_value = true)]
    pub(crate) report: ReportFormat,

    /// Rewrite old spellings in the files: only these words change, comments and order stay. Shows the changes.
    #[arg(long)]
    pub(crate) fix: bool,

    #[command(flatten)]
    pub(crate) format: Format,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// The text around each place.
    #[default]
    Human,
    /// As `-o json`.
    Json,
    /// Workflow commands that GitHub Actions shows beside the lines.
    Github,
}
