//! The artifacts store of a run: names of its folders, and the one rule for paths inside of it.
//!
//! Must not know where the store is: joining with a root happens in `polyaxon-artifacts` only.

use std::fmt;
use std::str::FromStr;

/// What the user's program writes.
pub const OUTPUTS: &str = "outputs";
/// Event series: `events/<kind>/<name>.plx`.
pub const EVENTS: &str = "events";
/// System metrics: `resources/<kind>/<name>.plx`.
pub const RESOURCES: &str = "resources";
/// Files that events refer to.
pub const ASSETS: &str = "assets";
/// Captured output.
pub const LOGS: &str = "plxlogs";
/// Where old servers kept the output of runs that were not done yet.
pub const TEMPORARY_LOGS: &str = ".tmpplxlogs";
/// The code that ran: `code/uncommitted.diff`.
pub const CODE: &str = "code";
/// What `polyaxon run --upload` sent.
pub const UPLOADS: &str = "uploads";
/// The name of the uncommitted changes inside of [`CODE`].
pub const UNCOMMITTED_DIFF: &str = "code/uncommitted.diff";
/// The suffix of event files.
pub const EVENT_SUFFIX: &str = ".plx";

/// A path below the folder of a run, with `/` between its parts: never absolute, never upwards.
///
/// The empty path is the folder itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RelativePath(String);

/// Why a text is no path inside a run's folder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    #[error("Invalid path: traversal detected (`{0}` goes up with `..`)")]
    Upwards(String),
    #[error("Invalid path: traversal detected (`{0}` is absolute, expected a path below the run's folder)")]
    Absolute(String),
    #[error("Invalid path: it contains the control character {character:?} at byte {position}")]
    Control { character: char, position: usize },
    #[error("Invalid path: it is longer than {MAX_LENGTH} bytes")]
    TooLong,
    #[error("Invalid path: the name `{start}…` is longer than {MAX_NAME_LENGTH} bytes")]
    NameTooLong { start: String },
}

const MAX_LENGTH: usize = 4096;
/// What file systems take.
const MAX_NAME_LENGTH: usize = 255;

impl RelativePath {
    /// The folder of the run.
    pub const fn root() -> RelativePath {
        RelativePath(String::new())
    }

    /// Reads and normalises a path: `.`, doubled and trailing slashes disappear.
    pub fn parse(text: &str) -> Result<RelativePath, PathError> {
        if text.len() > MAX_LENGTH {
            return Err(PathError::TooLong);
        }
        if let Some((position, character)) = text.char_indices().find(|(_, character)| character.is_control()) {
            return Err(PathError::Control { character, position });
        }
        if text.starts_with('/') {
            return Err(PathError::Absolute(text.to_owned()));
        }
        let mut parts = Vec::new();
        for part in text.split('/') {
            match part {
                "" | "." => {}
                // A backslash is a character of a name here, but whoever unpacks on another system takes it for a slash.
                _ if part.split('\\').any(|piece| piece == "..") => return Err(PathError::Upwards(text.to_owned())),
                _ if part.len() > MAX_NAME_LENGTH => {
                    return Err(PathError::NameTooLong { start: part.chars().take(40).collect() });
                }
                _ => parts.push(part),
            }
        }
        Ok(RelativePath(parts.join("/")))
    }

    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|part| !part.is_empty())
    }

    /// The last part; none for the root.
    pub fn file_name(&self) -> Option<&str> {
        self.parts().last()
    }

    /// The folder that holds it; the root for the root.
    pub fn parent(&self) -> RelativePath {
        RelativePath(self.0.rsplit_once('/').map_or_else(String::new, |(parent, _)| parent.to_owned()))
    }

    /// `self` followed by `more`.
    pub fn join(&self, more: &RelativePath) -> RelativePath {
        match (self.is_root(), more.is_root()) {
            (true, _) => more.clone(),
            (_, true) => self.clone(),
            _ => RelativePath(format!("{}/{}", self.0, more.0)),
        }
    }

    /// Whether `self` is `folder` or below it.
    pub fn is_within(&self, folder: &RelativePath) -> bool {
        folder.is_root() || self.0.strip_prefix(&folder.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl fmt::Display for RelativePath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.0)
    }
}

impl FromStr for RelativePath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<RelativePath, PathError> {
        RelativePath::parse(text)
    }
}

/// The last part of a file name that a client sent, which may be an absolute path of the client's machine.
pub fn base_name(file_name: &str) -> Option<&str> {
    let name = file_name.rsplit(['/', '\\']).next().unwrap_or_default();
    (!matches!(name, "" | "." | "..") && !name.contains(char::is_control)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalised() {
        for (given, path) in [
            ("", ""),
            (".", ""),
            ("outputs/", "outputs"),
            ("./a//b/./c", "a/b/c"),
            ("..a/b..", "..a/b.."),
            ("a\\b", "a\\b"),
        ] {
            assert_eq!(RelativePath::parse(given).unwrap().as_str(), path, "{given}");
        }
    }

    #[test]
    fn nothing_leaves_the_folder() {
        let hostile =
            ["..", "a/../..", "../x", "a/..", "/etc/passwd", "/", "a\0b", "a/b\r\nc", "\u{7f}", "..\\x", "a\\..\\b"];
        for given in hostile {
            assert!(RelativePath::parse(given).is_err(), "{given:?}");
        }
        assert!(RelativePath::parse(&"é/".repeat(1000)).is_ok());
        assert!(matches!(RelativePath::parse(&"x".repeat(256)), Err(PathError::NameTooLong { .. })));
        assert_eq!(RelativePath::parse(&"x".repeat(5000)), Err(PathError::TooLong));
    }

    #[test]
    fn parts_and_joins() {
        let path = |text: &str| RelativePath::parse(text).unwrap();
        assert_eq!(path("a").join(&path("b/c")), path("a/b/c"));
        assert_eq!(RelativePath::root().join(&path("b")), path("b"));
        assert!(path("a/b").is_within(&path("a")) && !path("ab").is_within(&path("a")));
        assert_eq!((path("a/b/c").parent(), path("a").parent()), (path("a/b"), path("")));
        assert_eq!(path("a/b.txt").file_name(), Some("b.txt"));
        assert_eq!(base_name("/home/me/x.tar.gz"), Some("x.tar.gz"));
        assert_eq!(base_name("C:\\x\\y.txt"), Some("y.txt"));
        assert_eq!(base_name("a/.."), None);
    }
}
