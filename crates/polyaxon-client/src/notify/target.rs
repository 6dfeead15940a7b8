//! Where messages go: the settings of a backend, read and checked. Pure.
//!
//! Targets hold secrets, so they are never printed.

use lettre::message::Mailbox;
use serde_json::{Map, Value as Json};
use url::Url;

use super::{Backend, Error};

/// One receiver of messages.
pub enum Target {
    Web(WebTarget),
    Mail(MailTarget),
}

pub struct WebTarget {
    pub(super) url: Url,
    pub(super) login: Option<(String, String)>,
    pub(super) verb: Verb,
    pub(super) extras: Map<String, Json>,
}

#[derive(Clone, Copy)]
pub(super) enum Verb {
    Get,
    Post,
}

pub struct MailTarget {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) login: Option<(String, String)>,
    pub(super) from: Mailbox,
    pub(super) to: Vec<Mailbox>,
    pub(super) security: Security,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Security {
    Plain,
    /// TLS from a line of the dialogue on; never goes on without it.
    StartTls,
    Tls,
}

/// Reads settings: an object, a list of them, or the text of either. A bare address counts too. Entries that lack what
/// the backend needs are left out; there is at least one target.
pub fn targets(backend: Backend, settings: &Json) -> Result<Vec<Target>, Error> {
    let settings = match settings {
        Json::String(text) => serde_json::from_str(text).unwrap_or_else(|_| settings.clone()),
        other => other.clone(),
    };
    let entries = match settings {
        Json::Array(entries) => entries,
        entry => vec![entry],
    };
    let mut targets = Vec::new();
    for entry in entries {
        let entry = match entry {
            Json::Object(entry) => entry,
            Json::String(_) => Map::from_iter([("url".to_owned(), entry)]),
            _ => continue,
        };
        let target = match backend {
            Backend::Email => mail(&entry)?.map(Target::Mail),
            _ => web(backend, &entry)?.map(Target::Web),
        };
        targets.extend(target);
    }
    if targets.is_empty() { Err(Error::NoTarget(backend)) } else { Ok(targets) }
}

fn web(backend: Backend, entry: &Map<String, Json>) -> Result<Option<WebTarget>, Error> {
    let Some(text) = text(entry, "url") else { return Ok(None) };
    let invalid = |shown: String| Error::Url { backend, shown };
    let mut url = Url::parse(text.trim()).map_err(|_| invalid("…".to_owned()))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(invalid(format!("{}://…", url.scheme())));
    }
    let login = (!url.username().is_empty() || url.password().is_some())
        .then(|| (url.username().to_owned(), url.password().unwrap_or_default().to_owned()));
    // A web address with a host can lose its login.
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    let verb = match text_or(entry, "method", "POST").to_uppercase().as_str() {
        "POST" => Verb::Post,
        "GET" => Verb::Get,
        other => return Err(Error::Method { backend, method: other.to_owned() }),
    };
    let names: &[&str] = match backend {
        Backend::Slack => &["channel", "icon_url"],
        Backend::Mattermost => &["channel"],
        Backend::PagerDuty => &["service_key"],
        _ => &[],
    };
    let extra = |name: &&str| Some(((*name).to_owned(), entry.get(*name).filter(|value| !value.is_null())?.clone()));
    Ok(Some(WebTarget { url, login, verb, extras: names.iter().filter_map(extra).collect() }))
}

fn mail(entry: &Map<String, Json>) -> Result<Option<MailTarget>, Error> {
    let to = match entry.get("recipients") {
        Some(Json::Array(items)) => {
            items.iter().filter_map(Json::as_str).map(mailbox).collect::<Result<Vec<_>, _>>()?
        }
        Some(Json::String(list)) => list.split(',').map(mailbox).collect::<Result<Vec<_>, _>>()?,
        _ => Vec::new(),
    };
    let Some(host) = text(entry, "smtp_host").filter(|_| !to.is_empty()) else { return Ok(None) };
    let security = match (flag(entry, "use_ssl", false), flag(entry, "use_tls", true)) {
        (true, _) => Security::Tls,
        (false, true) => Security::StartTls,
        (false, false) => Security::Plain,
    };
    let usual = if security == Security::Tls { 465 } else { 587 };
    let port = entry.get("smtp_port").and_then(number).unwrap_or(usual);
    let login = text(entry, "smtp_user").zip(text(entry, "smtp_password"));
    let from = mailbox(&text_or(entry, "from_email", "noreply@polyaxon.com"))?;
    Ok(Some(MailTarget { host, port, login, from, to, security }))
}

fn mailbox(text: &str) -> Result<Mailbox, Error> {
    text.trim().parse().map_err(|_| Error::Mailbox(text.trim().to_owned()))
}

fn text(entry: &Map<String, Json>, name: &str) -> Option<String> {
    entry.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn text_or(entry: &Map<String, Json>, name: &str, default: &str) -> String {
    text(entry, name).unwrap_or_else(|| default.to_owned())
}

fn number(value: &Json) -> Option<u16> {
    value.as_u64().and_then(|number| u16::try_from(number).ok()).or_else(|| value.as_str()?.parse().ok())
}

fn flag(entry: &Map<String, Json>, name: &str, default: bool) -> bool {
    match entry.get(name) {
        Some(Json::Bool(flag)) => *flag,
        Some(Json::String(word)) => word.eq_ignore_ascii_case("true"),
        _ => default,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// How many targets there are, or why there is none.
    fn check(backend: Backend, settings: Json) -> String {
        match targets(backend, &settings) {
            Ok(targets) => targets.len().to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn settings_are_an_object_a_list_a_text_or_an_address() {
        let secret = "https://hooks.example/T0/B0/secret";
        let cases = [
            (Backend::Slack, json!({ "url": secret }), "1"),
            (Backend::Slack, json!([{ "url": secret }, { "url": secret }, { "nothing": 1 }]), "2"),
            (Backend::Slack, json!(format!(r#"[{{"url": "{secret}"}}]"#)), "1"),
            (Backend::Webhook, json!(secret), "1"),
            (Backend::Webhook, json!([secret, { "url": secret }]), "2"),
            (Backend::Webhook, json!([]), "No valid configuration found for notifier WebHook."),
            (Backend::Discord, json!({ "url": "" }), "No valid configuration found for notifier Discord WebHook."),
            (Backend::Slack, json!({ "url": "T0/B0/secret" }), "Slack WebHook received invalid URL `…`."),
            (Backend::Slack, json!({ "url": "ftp://a/secret" }), "Slack WebHook received invalid URL `ftp://…`."),
            (
                Backend::Webhook,
                json!({ "url": secret, "method": "put" }),
                "WebHook received non compatible method `PUT`.",
            ),
            (Backend::Email, json!({ "smtp_host": "m", "recipients": ["a@b.c", "Ann <d@e.f>"] }), "1"),
            (Backend::Email, json!({ "smtp_host": "m", "recipients": "a@b.c, d@e.f" }), "1"),
            (Backend::Email, json!({ "smtp_host": "m" }), "No valid configuration found for notifier Email."),
            (
                Backend::Email,
                json!({ "smtp_host": "m", "recipients": ["nobody"] }),
                "`nobody` is not an address of e-mail",
            ),
        ];
        for (backend, settings, expected) in cases {
            assert_eq!(check(backend, settings.clone()), expected, "{settings}");
        }
    }

    #[test]
    fn mail_is_protected_unless_it_shall_not_be() {
        let cases = [
            (json!({}), (Security::StartTls, 587)),
            (json!({ "use_ssl": true }), (Security::Tls, 465)),
            (json!({ "use_tls": false, "smtp_port": 25 }), (Security::Plain, 25)),
            (json!({ "use_tls": "false", "smtp_port": "2525" }), (Security::Plain, 2525)),
        ];
        for (settings, expected) in cases {
            let mut entry = settings.as_object().unwrap().clone();
            entry.insert("smtp_host".to_owned(), json!("m"));
            entry.insert("recipients".to_owned(), json!(["a@b.c"]));
            let target = mail(&entry).unwrap().unwrap();
            assert_eq!((target.security, target.port), expected, "{settings}");
        }
    }

    #[test]
    fn a_login_is_taken_out_of_the_address() {
        let entry = json!({ "url": "https://ann:pass@hooks.example/x" });
        let target = web(Backend::Webhook, entry.as_object().unwrap()).unwrap().unwrap();
        assert_eq!(target.url.as_str(), "https://hooks.example/x");
        assert_eq!(target.login, Some(("ann".to_owned(), "pass".to_owned())));
    }
}
