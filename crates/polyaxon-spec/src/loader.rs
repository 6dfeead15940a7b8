//! What the caller must be able to read: files, URLs and hub components.
//!
//! This crate never opens anything itself.

/// A document that a reference names.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What a person calls it: the path as written, the URL, `hub:name:version`.
    pub name: String,
    pub text: Vec<u8>,
    /// What makes it the same document as another: the real path, the URL, the full name.
    pub identity: String,
    /// The folder that its own paths are relative to. `None` for documents that are not local files.
    pub folder: Option<String>,
}

/// Why a document could not be read, as a fragment: `no such file`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    pub kind: LoadErrorKind,
    pub message: String,
    pub help: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadErrorKind {
    /// There is nothing under this name.
    NotFound,
    /// There is something, but it cannot be read.
    Unreadable,
}

impl LoadError {
    pub fn not_found(message: impl Into<String>) -> LoadError {
        LoadError { kind: LoadErrorKind::NotFound, message: message.into(), help: None }
    }

    pub fn unreadable(message: impl Into<String>) -> LoadError {
        LoadError { kind: LoadErrorKind::Unreadable, message: message.into(), help: None }
    }

    pub fn help(mut self, help: impl Into<String>) -> LoadError {
        self.help = Some(help.into());
        self
    }
}

/// Reads documents for [`crate::check`] and [`crate::references`].
pub trait Loader {
    /// A file; `path` is relative to `folder`, or to the working directory without one.
    fn file(&mut self, folder: Option<&str>, path: &str) -> Result<Loaded, LoadError>;

    fn url(&mut self, url: &str) -> Result<Loaded, LoadError>;

    /// A component of the hub: `[owner/]name[:version]`.
    fn hub(&mut self, name: &str) -> Result<Loaded, LoadError>;
}
