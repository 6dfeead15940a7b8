//! Messages about the end of a run, to chats, webhooks and mailboxes.
//!
//! Invariants: what is shown of an error never has an address or a password in it, for the address of a chat is a
//! secret; a target is asked once, and whoever calls decides about another time.

mod mail;
mod message;
mod target;

use std::time::Duration;

use reqwest::{Method, StatusCode};

use crate::address::Allowed;
use crate::outgoing::{self, Outgoing};

pub use message::Notification;
pub use target::{Target, targets};
use target::{Verb, WebTarget};

/// How long one target may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Who takes messages. The words are the kinds of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Slack,
    Discord,
    Mattermost,
    Teams,
    PagerDuty,
    HipChat,
    Webhook,
    Email,
}

impl Backend {
    pub const ALL: [Backend; 8] = [
        Backend::Slack,
        Backend::Discord,
        Backend::Mattermost,
        Backend::Teams,
        Backend::PagerDuty,
        Backend::HipChat,
        Backend::Webhook,
        Backend::Email,
    ];

    /// The backend of a kind of connections; none for those that take no messages.
    pub fn of_kind(kind: &str) -> Option<Backend> {
        Backend::ALL.into_iter().find(|backend| backend.kind() == kind)
    }

    /// The kind of its connections, and the key of its settings in a secret.
    pub fn kind(self) -> &'static str {
        match self {
            Backend::Slack => "slack",
            Backend::Discord => "discord",
            Backend::Mattermost => "mattermost",
            Backend::Teams => "teams",
            Backend::PagerDuty => "pagerduty",
            Backend::HipChat => "hipchat",
            Backend::Webhook => "webhook",
            Backend::Email => "email",
        }
    }

    /// What messages call it.
    pub fn title(self) -> &'static str {
        match self {
            Backend::Slack => "Slack WebHook",
            Backend::Discord => "Discord WebHook",
            Backend::Mattermost => "Mattermost WebHook",
            Backend::Teams => "Teams WebHook",
            Backend::PagerDuty => "PagerDuty WebHook",
            Backend::HipChat => "HipChat WebHook",
            Backend::Webhook => "WebHook",
            Backend::Email => "Email",
        }
    }
}

/// Why a message was not sent.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{} received invalid URL `{shown}`.", .backend.title())]
    Url { backend: Backend, shown: String },
    #[error("{} received non compatible method `{method}`.", .backend.title())]
    Method { backend: Backend, method: String },
    #[error("No valid configuration found for notifier {}.", .0.title())]
    NoTarget(Backend),
    #[error("`{0}` is not an address of e-mail")]
    Mailbox(String),
    #[error(transparent)]
    Request(#[from] outgoing::Error),
    #[error("the receiver answered {0}")]
    Answer(StatusCode),
    #[error("cannot write the e-mail: {0}")]
    Mail(String),
    #[error("the mail server: {0}")]
    Smtp(String),
}

/// Sends a message to one target.
pub async fn send(notification: &Notification, backend: Backend, target: &Target) -> Result<(), Error> {
    match target {
        Target::Web(target) => post(notification, backend, target).await,
        Target::Mail(target) => mail::send(notification, target, TIMEOUT).await,
    }
}

/// The host was chosen by whoever runs the server, so it may be anywhere. Where it redirects to was not.
async fn post(notification: &Notification, backend: Backend, target: &WebTarget) -> Result<(), Error> {
    let host = target.url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let allowed = Allowed::read([host]).unwrap_or_default();
    let outgoing = Outgoing::new(allowed)?;
    let body = notification.body(backend, &target.extras);
    let request = match target.verb {
        Verb::Post => outgoing.request(Method::POST, target.url.as_str())?.json(&body),
        Verb::Get => outgoing.request(Method::GET, target.url.as_str())?.query(&message::pairs(&body)),
    };
    let request = match &target.login {
        Some((user, password)) => request.basic_auth(user, Some(password)),
        None => request,
    };
    let answer = outgoing.send(request.timeout(TIMEOUT)).await?;
    if answer.status().is_success() { Ok(()) } else { Err(Error::Answer(answer.status())) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::message::tests::notification;
    use super::*;

    /// A receiver on this machine that sends everybody on to another address; gives its own.
    async fn redirecting(to: &str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let head = format!("HTTP/1.1 307 Go\r\nconnection: close\r\ncontent-length: 0\r\nlocation: {to}\r\n\r\n");
        tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let _ = connection.read(&mut [0; 8192]).await;
                let _ = connection.write_all(head.as_bytes()).await;
            }
        });
        format!("http://127.0.0.1:{port}/")
    }

    #[tokio::test]
    async fn a_receiver_may_be_private_but_not_what_it_redirects_to() {
        for (to, words) in
            [("http://169.254.169.254/latest", "link-local"), ("http://localhost:1/", "belongs to the machine")]
        {
            let settings = json!({ "url": redirecting(to).await });
            let targets = targets(Backend::Webhook, &settings).unwrap();
            let error = send(&notification(), Backend::Webhook, &targets[0]).await.unwrap_err().to_string();
            assert!(error.contains(words), "{to}: {error}");
        }
    }
}
