//! What a command that has started a run does until the run ends, when it is asked to.

use polyaxon_client::record::Run;

use crate::args::global::{FollowArgs, OutputFormat};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::follow::{Show, Statuses, follow};
use crate::output::Stream;
use crate::output::log::LogFormat;
use crate::session::Session;
use crate::watch::{self, View};

/// Follows a run as it is asked; none when it is not.
pub(crate) async fn afterwards(
    session: &Session<'_>,
    asked: FollowArgs,
    format: &OutputFormat,
    run: &Run,
) -> Result<Option<Exit>, Failure> {
    if !asked.is_asked() {
        return Ok(None);
    }
    let FollowArgs { watch, logs, wait: _ } = asked;
    if watch && !logs {
        if *format == OutputFormat::Jsonl {
            return watch::watch(session, run.uuid(), View::Json).await.map(Some);
        }
        let is_live = session.printer.style(Stream::Error).is_terminal();
        if is_live || run.is_pipeline() {
            return watch::watch(session, run.uuid(), View::People(Stream::Error)).await.map(Some);
        }
    }
    let logs = logs.then(|| LogFormat { on_stderr: !format.is_for_people(), ..LogFormat::default() });
    let statuses = if watch { Statuses::Notes } else { Statuses::Outcome };
    follow(session, run.namespace(), run.uuid(), Show { statuses, logs }).await.map(Some)
}
