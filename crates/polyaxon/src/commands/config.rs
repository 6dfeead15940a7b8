//! `polyaxon config`: the settings with their origins, and the official client's files.

use serde_json::{Map, Value, json};

use crate::args::config::{ConfigArgs, ConfigCommand, GetArgs, SetArgs, ShowArgs};
use crate::config::{self, File};
use crate::env;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::local::find::{Found, find};
use crate::output::table::{Column, Table};
use crate::output::{Human, Output};
use crate::session::Context;
use crate::settings::{Origin, Settings, parse_bool};

/// One line of `config show`.
struct Entry {
    key: &'static str,
    value: Value,
    origin: Origin,
}

pub(crate) fn run(context: &Context, args: ConfigArgs) -> Result<Exit, Failure> {
    match args.command {
        None => show(context, &ShowArgs::default()),
        Some(ConfigCommand::Show(args)) => show(context, &args),
        Some(ConfigCommand::Get(args)) => get(context, &args),
        Some(ConfigCommand::Set(args)) => set(context, &args),
        Some(ConfigCommand::Purge(args)) => purge(context, args.cache_only),
    }
}

fn entries(settings: &Settings) -> Result<Vec<Entry>, Failure> {
    let entry = |key, value: Value, origin| Entry { key, value, origin };
    let home_origin = match env::os(env::HOME) {
        Some(_) => Origin::Environment(env::HOME.name),
        None => Origin::Default,
    };
    let host = match settings.host() {
        Some(host) => entry("host", host.value.into(), host.origin),
        None => match find(&settings.home)? {
            Found::Live(record) => {
                entry("host", record.url.into(), Origin::File(settings.home.layout().server_record()))
            }
            Found::Starting | Found::Absent => entry("host", Value::Null, Origin::Default),
        },
    };
    let owner = settings.owner();
    let mut entries = vec![
        entry("home", settings.home.root().display().to_string().into(), home_origin),
        host,
        entry("owner", owner.value.into(), owner.origin),
    ];
    if let Ok(place) = settings.place(None) {
        entries.push(entry("project", place.value.project.into(), place.origin));
    }
    let token = settings.token();
    let origin = token.as_ref().map_or(Origin::Default, |token| token.origin.clone());
    entries.push(entry("token", token.map_or(Value::Null, |_| "(set)".into()), origin));
    let timeout = settings.timeout();
    entries.push(entry("timeout", timeout.value.as_secs_f64().into(), timeout.origin));
    let interval = settings.watch_interval();
    entries.push(entry("watch_interval", interval.value.as_secs_f64().into(), interval.origin));
    let booleans =
        [("verify_ssl", env::VERIFY_SSL, true), ("debug", env::DEBUG, false), ("no_api", env::NO_API, false)];
    for (key, variable, default) in booleans {
        let setting = settings.boolean(variable, default);
        entries.push(entry(key, setting.value.into(), setting.origin));
    }
    Ok(entries)
}

fn show(context: &Context, args: &ShowArgs) -> Result<Exit, Failure> {
    let entries = entries(&Settings::read()?)?;
    let column = |name: &str| Column { name: name.to_owned(), key: name.to_owned(), wide: false };
    let columns = if args.origin { vec!["setting", "value", "origin"] } else { vec!["setting", "value"] };
    let mut table = Table::new(columns.into_iter().map(column).collect());
    let mut json = Map::new();
    for entry in &entries {
        let mut row = vec![entry.key.to_owned(), shown(entry)];
        if args.origin {
            row.push(entry.origin.to_string());
            json.insert(entry.key.to_owned(), json!({ "value": entry.value, "origin": entry.origin.to_string() }));
        } else {
            json.insert(entry.key.to_owned(), entry.value.clone());
        }
        table.row(row);
    }
    let names = entries.iter().map(|entry| entry.key.to_owned()).collect();
    let output = Output { json: Value::Object(json), human: Human::Table(table), names };
    context.printer.data(&output, &args.format.output)?;
    if context.printer.verbose {
        for variable in env::ALL {
            context.printer.note(&format!("{:<32} {}", variable.name, variable.meaning));
        }
    }
    Ok(Exit::Ok)
}

fn get(context: &Context, args: &GetArgs) -> Result<Exit, Failure> {
    let entries = entries(&Settings::read()?)?;
    let mut json = Map::new();
    let mut lines = Vec::new();
    for asked in &args.keys {
        let key = asked.replace('-', "_").to_ascii_lowercase();
        let Some(entry) = entries.iter().find(|entry| entry.key == key) else {
            let known: Vec<_> = entries.iter().map(|entry| entry.key).collect();
            return Err(Failure::usage(format!("there is no setting `{asked}`"))
                .help(format!("the settings are {}", known.join(", "))));
        };
        lines.push(if args.keys.len() == 1 { shown(entry) } else { format!("{key}={}", shown(entry)) });
        json.insert(key, entry.value.clone());
    }
    let output = Output { json: Value::Object(json), human: Human::Text(lines.join("\n")), names: lines };
    context.printer.data(&output, &args.format.output)?;
    Ok(Exit::Ok)
}

fn shown(entry: &Entry) -> String {
    match &entry.value {
        Value::Null if entry.key == "host" => "(local server, not running)".to_owned(),
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn set(context: &Context, args: &SetArgs) -> Result<Exit, Failure> {
    let settings = Settings::read()?;
    let folder = settings.home.files();
    let mut changes: Vec<(&str, Value)> = Vec::new();
    let booleans = [
        ("--verify-ssl", env::VERIFY_SSL.name, &args.verify_ssl),
        ("--debug", env::DEBUG.name, &args.debug),
        ("--no-api", env::NO_API.name, &args.no_api),
        ("--disable-errors-reporting", "POLYAXON_DISABLE_ERRORS_REPORTING", &args.disable_errors_reporting),
    ];
    for (option, key, text) in booleans {
        if let Some(text) = text {
            let value =
                parse_bool(text).ok_or_else(|| Failure::usage(format!("{option} is yes or no, found `{text}`")))?;
            changes.push((key, value.into()));
        }
    }
    if let Some(host) = &args.host {
        let host = host.trim_end_matches('/');
        let usable = url::Url::parse(host).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if !usable && !host.is_empty() {
            return Err(Failure::usage(format!("`{host}` is not the address of a server"))
                .help("an address looks like http://localhost:8000; an empty one means the local server"));
        }
        changes.push((env::HOST.name, if host.is_empty() { Value::Null } else { host.into() }));
        // The credentials belong to the old host; the official client drops them too.
        if !args.no_purge {
            config::remove(folder, File::Auth)?;
            config::remove(folder, File::User)?;
        }
    }
    if !changes.is_empty() {
        config::change(folder, File::Client, &changes)?;
    }
    if let Some(owner) = &args.owner {
        config::change(folder, File::User, &[("organization", owner.as_str().into())])?;
    }
    if let Some(home) = &args.home {
        let folder = std::env::home_dir().map(|user| user.join(".polyaxon"));
        let folder = folder.ok_or_else(|| Failure::new("there is no home folder to write .home to"))?;
        let path = std::path::absolute(home).unwrap_or_else(|_| home.clone());
        config::change(&folder, File::Home, &[(env::HOME.name, path.display().to_string().into())])?;
    }
    context.printer.note("Settings saved");
    Ok(Exit::Ok)
}

fn purge(context: &Context, cache_only: bool) -> Result<Exit, Failure> {
    let settings = Settings::read()?;
    let folders = settings.project_folder.iter().map(std::path::PathBuf::as_path).chain([settings.home.files()]);
    for folder in folders {
        config::remove(folder, File::Project)?;
        config::remove(folder, File::Run)?;
    }
    if !cache_only {
        for file in [File::Client, File::Auth, File::User] {
            config::remove(settings.home.files(), file)?;
        }
    }
    context.printer.note(if cache_only { "Forgot the cached project and run" } else { "Settings removed" });
    Ok(Exit::Ok)
}
