//! The catalogue of connections that a run may use: names, kinds, where their data is (execution §4).
//!
//! Does not open anything and knows no credentials.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// One entry of the catalogue. The order of fields is the order on the wire.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    pub name: String,
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Json>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Json>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Json>,
    #[serde(default, alias = "config_map", skip_serializing_if = "Option::is_none")]
    pub config_map: Option<Json>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<Json>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Json>,
}

/// What a connection is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Object storage: s3, gcs, wasb.
    Bucket,
    /// A volume claim of a cluster.
    Claim,
    /// A folder of the machine.
    HostPath,
    Git,
    /// Free settings with a git url in them.
    Ssh,
    /// Only settings and credentials.
    Other,
}

impl Connection {
    /// A folder of this machine as artifacts store.
    pub fn host_path(name: impl Into<String>, path: &str) -> Connection {
        Connection {
            name: name.into(),
            kind: "host_path".to_owned(),
            schema: Some(serde_json::json!({"hostPath": path, "mountPath": path})),
            ..Connection::default()
        }
    }

    pub fn class(&self) -> Class {
        match self.kind.as_str() {
            "s3" | "gcs" | "wasb" => Class::Bucket,
            "volume_claim" => Class::Claim,
            "host_path" => Class::HostPath,
            "git" => Class::Git,
            "ssh" => Class::Ssh,
            _ => Class::Other,
        }
    }

    /// A text setting of the schema.
    pub fn setting(&self, key: &str) -> Option<&str> {
        self.schema.as_ref()?.get(key)?.as_str()
    }

    /// Where containers see the data: the mount path, or the url of the bucket (wasb: `container/path`).
    pub fn store_path(&self) -> Option<String> {
        match self.class() {
            Class::Claim | Class::HostPath => Some(self.setting("mountPath")?.trim_end_matches('/').to_owned()),
            Class::Bucket if self.kind == "wasb" => Some(wasb_path(self.setting("bucket")?)),
            Class::Bucket => Some(self.setting("bucket")?.trim_end_matches('/').to_owned()),
            Class::Git | Class::Ssh | Class::Other => None,
        }
    }
}

/// `wasbs://container@account.blob.core.windows.net/path` as `container/path`.
fn wasb_path(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (container, after) = rest.split_once('@').unwrap_or((rest, ""));
    let path = after.split_once('/').map_or("", |(_, path)| path).trim_matches('/');
    if path.is_empty() { container.to_owned() } else { format!("{container}/{path}") }
}

/// The value of `POLYAXON_CONNECTIONS_CATALOG`.
pub fn catalog_json(connections: &[&Connection]) -> String {
    serde_json::json!({ "connections": connections }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn store_paths() {
        let connection = |kind: &str, schema: Json| Connection {
            name: "c".to_owned(),
            kind: kind.to_owned(),
            schema: Some(schema),
            ..Connection::default()
        };
        let cases = [
            (connection("s3", serde_json::json!({"bucket": "s3://b/x/"})), Some("s3://b/x")),
            (connection("volume_claim", serde_json::json!({"volumeClaim": "v", "mountPath": "/m/"})), Some("/m")),
            (
                connection("wasb", serde_json::json!({"bucket": "wasbs://cont@acct.blob.core.windows.net/p/q"})),
                Some("cont/p/q"),
            ),
            (connection("git", serde_json::json!({"url": "https://x"})), None),
        ];
        for (connection, expected) in cases {
            assert_eq!(connection.store_path().as_deref(), expected, "{}", connection.kind);
        }
    }
}
