//! Names of projects, runs and versions: slugs of at most 128 characters, and words that a project may not be called.

/// The greatest length of a name, in characters.
pub const MAX_LENGTH: usize = 128;

/// Why a name is refused; the message is what the API answers for the field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("This field may not be blank.")]
    Blank,
    #[error("Enter a valid “slug” consisting of letters, numbers, underscores or hyphens.")]
    NotASlug,
    #[error("Enter a valid version name consisting of letters, numbers, underscores, hyphens or dots.")]
    NotAVersion,
    #[error("Ensure this field has no more than 128 characters.")]
    TooLong,
    #[error("`{0}` is a reserved name, please choose another one.")]
    Reserved(String),
}

/// Checks the name of a run.
pub fn check_run_name(name: &str) -> Result<(), NameError> {
    check_slug(name)
}

/// Checks the name of a project.
pub fn check_project_name(name: &str) -> Result<(), NameError> {
    check_slug(name)?;
    let lower = name.to_ascii_lowercase();
    let is_reserved = |word: &str| RESERVED.binary_search(&word).is_ok();
    if is_reserved(&lower) || lower.strip_suffix('s').is_some_and(is_reserved) {
        return Err(NameError::Reserved(name.to_owned()));
    }
    Ok(())
}

/// Checks the name of a version, which may have dots.
pub fn check_version_name(name: &str) -> Result<(), NameError> {
    match check_slug(&name.replace('.', "-")) {
        Err(NameError::NotASlug) => Err(NameError::NotAVersion),
        checked => checked,
    }
}

fn check_slug(name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        Err(NameError::Blank)
    } else if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
        Err(NameError::NotASlug)
    } else if name.len() > MAX_LENGTH {
        Err(NameError::TooLong)
    } else {
        Ok(())
    }
}

/// The official list, sorted.
#[rustfmt::skip]
const RESERVED: &[&str] = &[
    "404", "500", "50x", "_admin", "_static", "_status", "about", "abstract", "accept", "account", "action",
    "activitie", "activity", "admin", "analytic", "api", "archive", "artifact", "at", "auth", "avatar", "blog",
    "bookmark", "catalog", "cli", "cluster", "component", "config_map", "contact", "create", "customer", "dag",
    "dashboard", "data", "dataset", "debug", "delete", "dependencie", "dependency", "deployment", "detail",
    "doc", "enterprise", "event", "experiment", "feature", "fetch", "for", "from", "gateway", "get", "guide",
    "haupt", "health", "healthz", "help", "history", "hook", "hub", "index", "integration", "job", "legal",
    "list", "log", "login", "logout", "manage", "management", "member", "metric", "model", "monitor", "name",
    "new", "operation", "org", "organization", "out", "output", "patch", "permission", "pipeline", "pod",
    "polyaxon", "portfolio", "preset", "pricing", "privacy", "profile", "project", "public", "put", "query",
    "register", "registrie", "registry", "remote", "repo", "restore", "revision", "rewrite-service", "root",
    "run", "secret", "security", "self", "service", "setting", "signup", "sponsorship", "static", "status",
    "statuses", "statusz", "stream", "subscribe", "support", "team", "term", "thank", "this", "tryout",
    "update", "user", "version", "vs", "welcome",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_accepted_and_everything_else_is_explained() {
        for name in ["a", "quick-start", "A_1", &"x".repeat(128)] {
            assert_eq!(check_project_name(name), Ok(()), "{name}");
        }
        assert_eq!(check_run_name(""), Err(NameError::Blank));
        assert_eq!(check_run_name("a b"), Err(NameError::NotASlug));
        assert_eq!(check_run_name("é"), Err(NameError::NotASlug));
        assert_eq!(check_run_name(&"x".repeat(129)), Err(NameError::TooLong));
        assert_eq!(check_version_name("1.0-rc_1"), Ok(()));
        assert_eq!(check_version_name("v 2"), Err(NameError::NotAVersion));
    }

    #[test]
    fn reserved_words_and_their_plurals_are_no_project_names() {
        assert!(RESERVED.is_sorted());
        for name in ["run", "Runs", "statuses", "API", "analytics", "50x"] {
            assert_eq!(check_project_name(name), Err(NameError::Reserved(name.to_owned())));
            assert_eq!(check_run_name(name), Ok(()));
        }
    }
}
