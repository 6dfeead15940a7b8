//! The language as its users meet it: files in, findings or documents out.

mod check;
mod graph;
mod layers;
mod project;
