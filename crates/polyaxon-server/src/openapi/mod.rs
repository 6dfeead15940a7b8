//! The OpenAPI document: what the annotations of the handlers say, completed with what holds for every operation.
//!
//! Invariant: the document is made from the code alone; the committed `schema/openapi.json` is compared with it in a
//! test. A handler describes its own query, body and success; everything else is added here, once.

mod complete;
pub(crate) mod parameters;
pub(crate) mod shapes;

pub(crate) use complete::complete;
