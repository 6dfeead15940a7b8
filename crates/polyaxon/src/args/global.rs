//! Options that every command has, and the groups that many share: output format, project, the run that is meant.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Global {
    /// Show more: which server and project are used, and where those settings come from.
    #[arg(long, global = true, help_heading = "Global options")]
    pub(crate) verbose: bool,

    #[arg(short = 'v', hide = true)]
    pub(crate) verbose_short: bool,

    /// When to use colours.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN", help_heading = "Global options")]
    pub(crate) color: Color,

    /// Never ask; fail and name the option to use instead.
    #[arg(long, global = true, help_heading = "Global options")]
    pub(crate) no_input: bool,

    /// Print the owner, project and run that a command uses and where they come from, on stderr.
    #[arg(long, help_heading = "Global options")]
    pub(crate) show_context: bool,

    #[arg(long, hide = true)]
    pub(crate) offline: bool,
}

impl Global {
    pub(crate) fn is_verbose(&self) -> bool {
        self.verbose || self.verbose_short
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

/// How a command prints its data.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Format {
    /// Output format: table, wide, json, jsonl, yaml, csv, name, or path=FILE for JSON in a file.
    #[arg(long, short, value_name = "FORMAT", default_value = "table", hide_default_value = true)]
    pub(crate) output: OutputFormat,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum OutputFormat {
    #[default]
    Table,
    /// A table with every column.
    Wide,
    Json,
    /// One JSON object a line.
    Jsonl,
    Yaml,
    Csv,
    /// Only the names, one a line: uuids of runs, names of projects.
    Name,
    Path(PathBuf),
}

impl FromStr for OutputFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<OutputFormat, String> {
        Ok(match text {
            "table" => OutputFormat::Table,
            "wide" => OutputFormat::Wide,
            "json" => OutputFormat::Json,
            "jsonl" => OutputFormat::Jsonl,
            "yaml" => OutputFormat::Yaml,
            "csv" => OutputFormat::Csv,
            "name" => OutputFormat::Name,
            _ => match text.strip_prefix("path=") {
                Some(path) if !path.is_empty() => OutputFormat::Path(path.into()),
                _ => return Err("expected table, wide, json, jsonl, yaml, csv, name or path=FILE".to_owned()),
            },
        })
    }
}

impl OutputFormat {
    /// Errors are printed as JSON too.
    pub(crate) fn is_json(&self) -> bool {
        matches!(self, OutputFormat::Json | OutputFormat::Jsonl | OutputFormat::Path(_))
    }

    pub(crate) fn is_for_people(&self) -> bool {
        matches!(self, OutputFormat::Table | OutputFormat::Wide)
    }
}

/// The project a command works in.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ProjectOption {
    /// The project: `name` or `owner/name`; else POLYAXON_PROJECT, the folder's project, `default`.
    #[arg(long, short, value_name = "PROJECT")]
    pub(crate) project: Option<String>,
}

/// The run a command works on: by position or with `--uid`.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Target {
    /// The run: uuid, a unique prefix of it (4 characters or more), a name, @last, @{2} (the one before the last), @-1.
    /// Runs that a pipeline made, and builds, are not counted.
    #[arg(value_name = "RUN")]
    pub(crate) run: Option<String>,

    /// The run, as an option.
    #[arg(long, alias = "uuid", alias = "id", value_name = "RUN", conflicts_with = "run")]
    pub(crate) uid: Option<String>,

    #[command(flatten)]
    pub(crate) project: ProjectOption,
}

impl Target {
    pub(crate) fn reference(&self) -> Option<&str> {
        self.run.as_deref().or(self.uid.as_deref())
    }
}

/// What to do until a run ends that was just started. The exit code is the outcome of the run.
#[derive(Args, Clone, Copy, Debug, Default)]
#[command(next_help_heading = "Afterwards")]
pub(crate) struct FollowArgs {
    /// Follow the statuses until the run ends; on a terminal as a live tree.
    #[arg(long, short)]
    pub(crate) watch: bool,

    /// Follow the logs until the run ends.
    #[arg(long, alias = "log", short)]
    pub(crate) logs: bool,

    /// Wait until the run ends, and say only how it did.
    #[arg(long, conflicts_with_all = ["watch", "logs"])]
    pub(crate) wait: bool,
}

impl FollowArgs {
    pub(crate) fn is_asked(self) -> bool {
        self.watch || self.logs || self.wait
    }
}

/// Skips the question of a command that destroys something.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Yes {
    /// Do not ask.
    #[arg(long, short)]
    pub(crate) yes: bool,
}
