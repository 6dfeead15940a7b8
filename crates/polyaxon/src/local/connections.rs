//! The connections of the local server: those of a file, then those of the environment.
//!
//! Invariant: a mistake in them stops the start, with its place; secrets are read when they are used, not here.

use std::path::{Path, PathBuf};

use polyaxon_compile::connection::Connection;
use polyaxon_spec::connections;
use polyaxon_spec::node::Node;
use polyaxon_spec::span::Sources;

use crate::args::server::ServeOptions;
use crate::env;
use crate::failure::Failure;

const FILE: &str = "connections.yaml";
/// What runs call the store of the server.
const STORE: &str = "artifacts_store";

/// Reads what the options, the home folder and the environment say.
pub(super) fn read(root: &Path, options: &ServeOptions) -> Result<Vec<Connection>, Failure> {
    let named = named(options);
    let is_named = named.is_some();
    let path = named.unwrap_or_else(|| root.join(FILE));
    let mut all = match std::fs::read_to_string(&path) {
        Ok(text) => parse(&path.display().to_string(), &text, &[STORE])?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !is_named => Vec::new(),
        Err(error) => {
            return Err(Failure::usage(format!("cannot read the connections of {}: {error}", path.display())));
        }
    };
    if let Some(text) = env::text(env::AGENT_CONNECTIONS) {
        let mut taken: Vec<&str> = all.iter().map(|connection| connection.name.as_str()).collect();
        taken.push(STORE);
        let more = parse(env::AGENT_CONNECTIONS.name, &text, &taken)?;
        all.extend(more);
    }
    Ok(all)
}

/// The file that was chosen.
pub(super) fn named(options: &ServeOptions) -> Option<PathBuf> {
    options.connections.clone().or_else(|| env::os(env::CONNECTIONS_FILE).map(PathBuf::from))
}

fn parse(name: &str, text: &str, taken: &[&str]) -> Result<Vec<Connection>, Failure> {
    let mut sources = Sources::default();
    let source = sources.add(name, text);
    match connections::read(source, text.as_bytes(), taken) {
        Ok(nodes) => nodes.iter().map(|node| connection(name, node)).collect(),
        Err(problems) => Err(Failure::invalid(sources, problems)),
    }
}

fn connection(name: &str, node: &Node) -> Result<Connection, Failure> {
    serde_json::from_value(node.to_json())
        .map_err(|error| Failure::usage(format!("cannot read a connection of {name}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_the_home_may_be_missing_and_a_named_one_may_not() {
        let home = tempfile::tempdir().unwrap();
        let read = |options: &ServeOptions| read(home.path(), options);
        assert_eq!(read(&ServeOptions::default()).unwrap(), []);
        std::fs::write(home.path().join(FILE), "- {name: chat, kind: slack, schema: {url: {env: CHAT}}}").unwrap();
        let found = read(&ServeOptions::default()).unwrap();
        assert_eq!((found[0].name.as_str(), found[0].kind.as_str()), ("chat", "slack"));
        let named = ServeOptions { connections: Some(home.path().join("other.yaml")), ..ServeOptions::default() };
        assert!(read(&named).unwrap_err().message.contains("other.yaml"));
        std::fs::write(home.path().join(FILE), "- {name: artifacts_store, kind: s3}").unwrap();
        assert!(read(&ServeOptions::default()).unwrap_err().findings.is_some());
    }
}
