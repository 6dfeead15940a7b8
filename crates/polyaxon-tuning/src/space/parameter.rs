//! One parameter: its name, what values it can have, and when it exists.

use polyaxon_spec::node::Node;

use super::condition::{self, Condition};
use super::domain::Domain;
use crate::error::Error;

#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) domain: Domain,
    /// All must hold for the parameter to exist.
    pub(crate) conditions: Vec<Condition>,
}

impl Parameter {
    /// Reads one canonical entry of `params`; `earlier` are the parameters before it.
    pub(crate) fn read(name: &str, node: &Node, earlier: &[Parameter]) -> Result<Parameter, Error> {
        let domain = Domain::read(node).map_err(|reason| Error::Parameter { parameter: name.to_owned(), reason })?;
        let conditions = condition::read(name, node.get("when"), earlier)?;
        Ok(Parameter { name: name.to_owned(), domain, conditions })
    }
}
