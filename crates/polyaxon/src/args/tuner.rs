//! Arguments of `tuner`.

use clap::{Args, Subcommand};

/// The search engines of matrices, for other programs.
#[derive(Args, Debug)]
pub(crate) struct TunerArgs {
    #[command(subcommand)]
    pub(crate) command: TunerCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TunerCommand {
    Serve(ServeArgs),
}

/// Answer requests for suggestions on stdin and stdout, one JSON object a line.
#[derive(Args, Debug)]
#[command(after_help = "A request, and its answer:\n  \
    {\"id\": 7, \"op\": \"suggest\", \"matrix\": {\"kind\": \"tpe\", \"params\": {\"x\": {\"kind\": \"uniform\", \"value\": [0, 1]}},\n   \
    \"metric\": {\"name\": \"loss\", \"optimization\": \"minimize\"}, \"numRuns\": 1, \"maxIterations\": 100},\n   \
    \"configs\": [{\"x\": 0.2}], \"metrics\": [1.4], \"num\": 1, \"seed\": 3}\n  \
    {\"id\": 7, \"suggestions\": [{\"x\": 0.31}]}      or      {\"id\": 7, \"error\": \"...\"}\n\n\
    matrix     a `matrix` of a polyaxonfile, of any kind\n  \
    configs    what was tried, in the order it ended, and in metrics what came out: a number, a list of numbers\n             \
    for several objectives, or null for a trial that failed\n  \
    pending    what is being tried (optional)\n  \
    num        how many suggestions are wanted; 1 without it\n  \
    seed       used when the matrix has none; the same request with the same seed has the same answer\n\n\
    Each request carries everything; {\"op\": \"exit\"} or the end of stdin ends the program. For searches in stages,\n\
    iteration and bracket_iteration may be given; they hold for all configs.")]
pub(crate) struct ServeArgs {}
