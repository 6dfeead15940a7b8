//! How good the searches are.
