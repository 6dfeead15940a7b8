//! `polyaxon version`: which program answers, and on request which server.

use serde_json::json;

use crate::args::VersionArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Human, Output};
use crate::session::{Context, Server, block_on, connect};
use crate::settings::Settings;

const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(crate) fn run(context: &Context, args: &VersionArgs) -> Result<Exit, Failure> {
    let program = std::env::current_exe().map(|path| path.display().to_string()).unwrap_or_default();
    let mut json = json!({
        "version": VERSION,
        "program": program,
        "target": format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
        "build": if cfg!(debug_assertions) { "debug" } else { "release" },
    });
    let mut text = format!("polyaxon {VERSION} (Rust)");
    if args.check {
        let settings = Settings::read()?;
        let client = connect(context, &settings, Server::Configured)?;
        let installation = block_on(async { Ok(polyaxon_client::projects::installation(&client).await?) })?;
        let version = installation.get("version").and_then(serde_json::Value::as_str).unwrap_or("unknown");
        text += &format!("\nserver {version} at {}", client.host());
        json["server"] = json!({ "host": client.host(), "installation": installation });
    }
    let output = Output { json, human: Human::Text(text), names: vec![VERSION.to_owned()] };
    context.printer.data(&output, &args.format.output)?;
    Ok(Exit::Ok)
}
