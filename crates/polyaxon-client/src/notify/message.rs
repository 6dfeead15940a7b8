//! What a message says, in the shape that each backend reads. Pure.

use polyaxon_model::condition::StatusCondition;
use polyaxon_model::status::Status;
use serde_json::{Map, Value as Json, json};

use super::Backend;

/// What Discord takes at most.
const DISCORD_LETTERS: usize = 2000;

/// The end of a run, as messages tell it. Texts are shown as they are.
#[derive(Clone, Debug)]
pub struct Notification {
    /// The address of the server as people reach it.
    pub host: String,
    pub owner: String,
    pub project: String,
    pub uuid: String,
    pub name: Option<String>,
    pub kind: Option<String>,
    pub status: String,
    pub condition: StatusCondition,
    pub wait_time: Option<String>,
    pub duration: Option<String>,
    pub inputs: Option<String>,
    pub outputs: Option<String>,
}

impl Notification {
    pub(super) fn title(&self) -> String {
        format!("{} Status: {}\n", self.run(), self.status)
    }

    fn run(&self) -> String {
        match self.name.as_deref().filter(|name| !name.is_empty()) {
            Some(name) => format!("{name} ({})", self.uuid),
            None => self.uuid.clone(),
        }
    }

    pub(super) fn details(&self) -> String {
        let mut text = match set(self.kind.as_ref()) {
            Some(kind) => format!("Kind: `{kind}`\n"),
            None => format!("Run: {}\n", self.run()),
        };
        let time =
            self.condition.last_transition_time.instant.to_jiff().strftime("%Y-%m-%d %H:%M:%S+00:00").to_string();
        let lines = [
            ("Status", Some(&self.status)),
            ("Reason", set(self.condition.reason.as_ref())),
            ("Message", set(self.condition.message.as_ref())),
            ("Transition time", Some(&time)),
            ("Wait time", set(self.wait_time.as_ref())),
            ("Duration", set(self.duration.as_ref())),
            ("Inputs", set(self.inputs.as_ref())),
            ("Outputs", set(self.outputs.as_ref())),
        ];
        for (label, value) in lines {
            if let Some(value) = value {
                text += &format!("{label}: `{value}`\n");
            }
        }
        text
    }

    pub(super) fn url(&self) -> String {
        let host = self.host.trim_end_matches('/');
        format!("{host}/ui/{}/{}/runs/{}?referrer=Polyaxon", self.owner, self.project, self.uuid)
    }

    pub(super) fn color(&self) -> &'static str {
        match self.condition.status {
            Status::Failed | Status::UpstreamFailed => "#aa310f",
            Status::Succeeded | Status::Skipped => "#1aaa55",
            status if status.is_done() => "#485563",
            _ => "#aa9e4a",
        }
    }

    /// The body for a backend; `extras` are settings that travel in it.
    pub(super) fn body(&self, backend: Backend, extras: &Map<String, Json>) -> Json {
        let (title, details, url, color) = (self.title(), self.details(), self.url(), self.color());
        let mut body = match backend {
            Backend::Slack => json!({ "attachments": [{
                "fallback": self.condition.status, "title": title, "title_link": url, "text": details, "fields": [],
                "mrkdwn_in": ["text"], "footer": "Polyaxon", "color": color,
            }] }),
            Backend::Discord => json!({ "username": "Polyaxon", "tts": false, "content": cut(&details) }),
            Backend::Mattermost => json!({ "attachments": [{
                "pretext": null, "title": title, "text": details, "color": color, "fields": [],
                "author_name": "Polyaxon", "author_link": url,
            }] }),
            Backend::Teams => json!({
                "@type": "MessageCard", "@context": "http://schema.org/extensions", "summary": title,
                "themeColor": color, "title": title,
                "sections": [{ "activityTitle": "Polyaxon", "text": details, "markdown": true }],
                "potentialAction": [{
                    "@type": "OpenUri", "name": "View Details", "targets": [{ "os": "default", "uri": url }],
                }],
            }),
            Backend::PagerDuty => json!({
                "event_type": title, "description": self.condition.reason, "details": details,
                "incident_key": "trigger", "client": "Polyaxon", "client_url": url, "contexts": [],
            }),
            Backend::HipChat => json!({
                "message": details, "message_format": "text", "color": color, "from": "Polyaxon",
                "attach_to": null, "notify": false, "card": null,
            }),
            // `status` and `url` are ours: a program need not read them out of the title.
            Backend::Webhook | Backend::Email => json!({
                "context": { "owner": self.owner, "project": self.project, "uuid": self.uuid, "name": self.name },
                "title": title, "details": details,
                "finished_at": self.condition.last_transition_time.instant.as_micros() as f64 / 1e6,
                "status": self.status, "url": url,
            }),
        };
        if let Some(fields) = body.as_object_mut() {
            fields.extend(extras.clone());
        }
        body
    }
}

/// The fields of a body as parameters of an address.
pub(super) fn pairs(body: &Json) -> Vec<(String, String)> {
    let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    body.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), text(value))).collect()
}

fn set(text: Option<&String>) -> Option<&String> {
    text.filter(|text| !text.is_empty())
}

fn cut(text: &str) -> String {
    text.chars().take(DISCORD_LETTERS).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn notification() -> Notification {
        Notification {
            host: "https://plx.example.test/".to_owned(),
            owner: "acme".to_owned(),
            project: "vision".to_owned(),
            uuid: "U".to_owned(),
            name: Some("train".to_owned()),
            kind: Some("job".to_owned()),
            status: "failed".to_owned(),
            condition: serde_json::from_value(json!({
                "type": "failed", "status": "True", "reason": "OOMKilledExitCode 137",
                "last_update_time": "2026-01-02T03:04:05Z", "last_transition_time": "2026-01-02T03:04:05Z",
            }))
            .unwrap(),
            wait_time: None,
            duration: None,
            inputs: None,
            outputs: None,
        }
    }

    #[test]
    fn slack_reads_an_attachment() {
        let extras = json!({ "channel": "#runs" });
        let body = notification().body(Backend::Slack, extras.as_object().unwrap());
        let expected = json!({ "attachments": [{
            "fallback": "failed", "title": "train (U) Status: failed\n",
            "title_link": "https://plx.example.test/ui/acme/vision/runs/U?referrer=Polyaxon",
            "text": "Kind: `job`\nStatus: `failed`\nReason: `OOMKilledExitCode 137`\n\
                     Transition time: `2026-01-02 03:04:05+00:00`\n",
            "fields": [], "mrkdwn_in": ["text"], "footer": "Polyaxon", "color": "#aa310f",
        }], "channel": "#runs" });
        assert_eq!(body, expected);
    }

    #[test]
    fn every_backend_is_told_the_details() {
        for backend in Backend::ALL {
            let body = notification().body(backend, &Map::new()).to_string();
            assert!(body.contains("OOMKilledExitCode 137"), "{backend:?}: {body}");
        }
        let body = notification().body(Backend::Webhook, &Map::new());
        assert_eq!(body["finished_at"], json!(1_767_323_045.0));
        assert_eq!(body["context"], json!({ "owner": "acme", "project": "vision", "uuid": "U", "name": "train" }));
    }

    #[test]
    fn discord_takes_so_many_letters_only() {
        let long = Notification { outputs: Some("ä".repeat(3000)), ..notification() };
        let body = long.body(Backend::Discord, &Map::new());
        assert_eq!(body["content"].as_str().unwrap().chars().count(), DISCORD_LETTERS);
    }

    #[test]
    fn lines_without_a_value_are_left_out() {
        let bare = Notification { name: None, kind: None, duration: Some("7.5".to_owned()), ..notification() };
        assert_eq!(bare.title(), "U Status: failed\n");
        let details = "Run: U\nStatus: `failed`\nReason: `OOMKilledExitCode 137`\n\
                       Transition time: `2026-01-02 03:04:05+00:00`\nDuration: `7.5`\n";
        assert_eq!(bare.details(), details);
    }
}
