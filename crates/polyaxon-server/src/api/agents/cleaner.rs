//! The operation with which an agent removes the folders of deleted runs from its artifacts store.

use polyaxon_model::ids::RunId;
use serde_json::{Value, json};

/// The version of the official image that knows the command.
const IMAGE: &str = "polyaxon/polyaxon-init:2.18.0";

/// The operation as JSON text; none for an agent that has not told its artifacts store.
pub(super) fn operation(agent_content: Option<&str>, runs: &[RunId]) -> Option<String> {
    let content: Value = serde_json::from_str(agent_content?).ok()?;
    let store = ["artifactsStore", "artifacts_store"].iter().find_map(|key| content.get(key))?;
    let (name, kind) = (store.get("name")?.as_str()?, store.get("kind")?.as_str()?);
    let schema = store.get("schema")?;
    let root = ["mountPath", "mount_path", "bucket"].iter().find_map(|key| schema.get(key)?.as_str())?;
    let mut command = format!("polyaxon clean-artifacts {} --connection-name {name}", kind.replace('_', "-"));
    for run in runs {
        command += &format!(" -sp={}/{run}", root.trim_end_matches('/'));
    }
    let operation = json!({
        "version": 1.1,
        "termination": { "maxRetries": 1 },
        "component": {
            "name": "cleaner",
            "plugins": {
                "auth": false,
                "collectArtifacts": false,
                "collectLogs": false,
                "collectResources": false,
                "syncStatuses": false,
                "autoResume": false,
            },
            "run": {
                "kind": "cleaner",
                "connections": [name],
                "container": {
                    "name": "polyaxon-main",
                    "image": IMAGE,
                    "imagePullPolicy": "IfNotPresent",
                    "command": ["/bin/bash", "-c"],
                    "args": [command],
                    "resources": {
                        "limits": { "cpu": "0.5", "memory": "1000Mi" },
                        "requests": { "cpu": "0.1", "memory": "80Mi" },
                    },
                },
            },
        },
    });
    Some(operation.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_named_as_the_store_of_the_agent_holds_them() {
        let run: RunId = "00000000000000000000000000000001".parse().unwrap();
        let command = |store: Value| {
            let content = json!({ "artifactsStore": store }).to_string();
            let operation: Value = serde_json::from_str(&operation(Some(&content), &[run, run])?).unwrap();
            operation["component"]["run"]["container"]["args"][0].as_str().map(str::to_owned)
        };
        assert_eq!(
            command(json!({ "name": "s", "kind": "host_path", "schema": { "hostPath": "/h", "mountPath": "/m/" } })),
            Some(format!("polyaxon clean-artifacts host-path --connection-name s -sp=/m/{run} -sp=/m/{run}"))
        );
        assert_eq!(
            command(json!({ "name": "s", "kind": "s3", "schema": { "bucket": "s3://b" } })),
            Some(format!("polyaxon clean-artifacts s3 --connection-name s -sp=s3://b/{run} -sp=s3://b/{run}"))
        );
        assert_eq!(command(json!({ "name": "s", "kind": "s3" })), None);
        assert_eq!(operation(None, &[run]), None);
    }
}
