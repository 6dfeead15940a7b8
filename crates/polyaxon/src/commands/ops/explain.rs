//! `polyaxon ops explain` and `polyaxon explain RUN`: why a run is as it is, in the words of the server.

use polyaxon_client::runs;
use polyaxon_model::explanation::Explanation;

use crate::args::global::{OutputFormat, Target};
use crate::args::ops::ExplainRunArgs;
use crate::commands::ops::{Group, open, uuid};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::style::{self, Style};
use crate::output::{Human, Output, Stream};
use crate::session::{Context, block_on};

pub(super) fn run(context: &Context, group: &Group, args: &ExplainRunArgs) -> Result<Exit, Failure> {
    show(context, group, &args.target, &args.format.output)
}

/// For a run that is named without the group of commands.
pub(crate) fn explain(context: &Context, target: &Target, format: &OutputFormat) -> Result<Exit, Failure> {
    show(context, &Group::default(), target, format)
}

fn show(context: &Context, group: &Group, target: &Target, format: &OutputFormat) -> Result<Exit, Failure> {
    let session = open(context, group, target)?;
    let json = block_on(async {
        let uuid = uuid(&session, group, target).await?;
        match runs::explain(&session.client, &session.place, &uuid).await {
            Ok(json) => Ok(json),
            // The run itself is there, or was not looked for yet; a server that does not know the question is another.
            Err(error) if error.is_unknown_endpoint() => {
                match runs::get(&session.client, &session.place, &uuid).await {
                    Ok(_) => Err(Failure::new(format!("{} cannot explain runs", session.client.host()))
                        .help(format!("`polyaxon ops statuses {uuid}` shows what happened"))),
                    Err(error) => Err(session.explain(error, Some(&uuid)).await),
                }
            }
            Err(error) => Err(session.explain(error, Some(&uuid)).await),
        }
    })?;
    let explanation: Explanation = serde_json::from_value(json.clone()).map_err(|error| {
        Failure::new("the server explained the run in a way that this version does not understand")
            .cause(error.to_string())
    })?;
    let human = Human::Text(text(&explanation, context.printer.style(Stream::Data)));
    context.printer.data(&Output { json, human, names: vec![explanation.uuid.to_hex()] }, format)?;
    Ok(Exit::Ok)
}

fn text(explanation: &Explanation, style: &Style) -> String {
    let hex = explanation.uuid.to_hex();
    let name = explanation.name.as_deref().unwrap_or("run");
    let status = style.as_status(explanation.status, &style::symbol(explanation.status.as_str()));
    let mut text = format!("{} {}  {status}\n\n{}\n", style.bold(name), &hex[..8], explanation.summary);
    for reason in &explanation.reasons {
        // Further lines of a message stand below its first.
        text.push_str(&format!("  * {}\n", reason.text.trim().replace('\n', "\n    ")));
    }
    if !explanation.log.is_empty() {
        text.push_str("\nThe last lines that it printed:\n");
        for line in &explanation.log {
            text.push_str(&format!("  {} {line}\n", style.dim("|")));
        }
    }
    if !explanation.next.is_empty() {
        text.push_str("\nWhat to do:\n");
        for advice in &explanation.next {
            text.push_str(&format!("  {} {advice}\n", style.help("->")));
        }
    }
    text.trim_end().to_owned()
}
