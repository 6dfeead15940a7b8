//! The contents of versions: what may be one, and the state that tells equal components.
//!
//! Pure: no store, no files.

use polyaxon_model::ids::StateId;
use polyaxon_spec::span::SourceId;
use polyaxon_spec::{wire, yaml};
use polyaxon_store::hub;

use crate::api::runs::content::refuse;
use crate::errors::{Error, Result};

/// The state of the Polyaxonfile in `text`, which must be a valid one.
pub(crate) fn component_state(text: &str) -> Result<StateId> {
    let document = wire::read_component(text).map_err(|problems| refuse(&problems))?;
    Ok(hub::component_state(&document))
}

/// What describes a model or an artifact is a mapping, in JSON or YAML.
pub(crate) fn check_mapping(text: &str) -> Result<()> {
    let expected = "the `content` must be the text of a mapping, in JSON or YAML";
    let document = yaml::read(SourceId::NONE, text.as_bytes()).map_err(|problems| {
        match problems.iter().find(|p| p.is_error()) {
            Some(problem) => Error::rule(format!("{expected}: {}.", problem.message)),
            None => Error::rule(format!("{expected}.")),
        }
    })?;
    match document.node.as_map() {
        Some(_) => Ok(()),
        None => Err(Error::rule(format!("{expected}; it is something else."))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YAML: &str = "kind: component\nname: echo\nrun: {kind: job, container: {image: busybox}}";

    #[test]
    fn equal_components_have_equal_states() {
        let state = |text: &str| component_state(text).unwrap();
        let json = r#"{"version": 1.1, "kind": "component", "run": {"container": {"image": "busybox"}, "kind": "job"}, "name": "echo"}"#;
        assert_eq!(state(YAML), state(json));
        assert_ne!(state(YAML), state(&YAML.replace("busybox", "busybox:2")));
    }

    #[test]
    fn contents_that_are_no_mapping_are_refused() {
        for text in ["not: [yaml", "hello", "[1, 2]", "3"] {
            assert!(check_mapping(text).is_err(), "{text}");
        }
        check_mapping(r#"{"f1": 0.9}"#).unwrap();
        check_mapping("f1: 0.9").unwrap();
        for text in ["- not\n- a mapping", "nope", "kind: component\nrun: {kind: job, bogus: 1}"] {
            assert!(component_state(text).is_err(), "{text}");
        }
    }
}
