//! `polyaxon lsp`: help for editors while a polyaxonfile is being typed.
//!
//! [`outline`] reads half-typed texts; [`typing`], [`names`], [`complete`], [`hover`] and [`definition`] are functions of
//! a document, a [`world::World`] and an offset and know no protocol; [`server`] and [`convert`] speak it. Nothing here
//! reaches a network.

mod complete;
mod convert;
mod definition;
mod diagnose;
mod hover;
mod names;
mod outline;
mod position;
mod server;
mod template;
mod typing;
mod world;

pub(crate) use server::serve;
