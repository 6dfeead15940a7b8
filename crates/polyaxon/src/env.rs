//! Every environment variable that the program reads, by its constant; nothing else in this crate names one.

use std::ffi::OsString;

/// A variable and what it does; `polyaxon config show` and the reference documentation list them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variable {
    pub(crate) name: &'static str,
    pub(crate) meaning: &'static str,
}

macro_rules! variables {
    ($($constant:ident $name:literal $meaning:literal;)*) => {
        $(#[doc = $meaning] pub(crate) const $constant: Variable = Variable { name: $name, meaning: $meaning };)*

        /// Every variable, in order.
        pub(crate) const ALL: &[Variable] = &[$($constant),*];
    };
}

variables! {
    HOST "POLYAXON_HOST" "The address of the server; without it the local server is used.";
    HOME "POLYAXON_HOME" "The folder of the local server and of the settings files (default ~/.polyaxon).";
    DATABASE_URL "POLYAXON_DATABASE_URL" "The database of the local server: postgres://… or a file (default: in the home folder).";
    OWNER "POLYAXON_OWNER" "The owner that is used when none is named.";
    PROJECT "POLYAXON_PROJECT" "The project that is used when none is named.";
    AUTH_TOKEN "POLYAXON_AUTH_TOKEN" "The token that is sent to the server.";
    AUTHENTICATION_TYPE "POLYAXON_AUTHENTICATION_TYPE" "The scheme of the token (default token).";
    TIMEOUT "POLYAXON_TIMEOUT" "Seconds to wait for an answer (default 60).";
    WATCH_INTERVAL "POLYAXON_WATCH_INTERVAL" "Seconds between polls of servers that cannot stream (default 5).";
    VERIFY_SSL "POLYAXON_VERIFY_SSL" "Whether to check the server's certificate (default true).";
    SSL_CA_CERT "POLYAXON_SSL_CA_CERT" "A file of certificates to trust.";
    HEADER "POLYAXON_HEADER" "The name of an extra header.";
    HEADER_SERVICE "POLYAXON_HEADER_SERVICE" "The value of the extra header.";
    NO_API "POLYAXON_NO_API" "Whether calls of an API are forbidden (default false).";
    DEBUG "POLYAXON_DEBUG" "Whether to log requests (default false).";
    LOG_LEVEL "POLYAXON_LOG_LEVEL" "What the server logs, for example info or polyaxon_server=debug.";
    CONNECTIONS_FILE "POLYAXON_CONNECTIONS_FILE" "The file of the local server's connections (default: connections.yaml in the home folder).";
    AGENT_CONNECTIONS "POLYAXON_AGENT_CONNECTIONS" "Further connections of the local server, a JSON list.";
    MAX_CONCURRENCY "POLYAXON_MAX_CONCURRENCY" "How many runs may be with agents at a time (default 50).";
    LOCAL_CPUS "POLYAXON_LOCAL_CPUS" "How many processors runs may ask for together (default: those of the machine).";
    LOCAL_MEMORY "POLYAXON_LOCAL_MEMORY" "How much memory runs may ask for together, for example 12Gi (default: that of the machine).";
    LOCAL_GPUS "POLYAXON_LOCAL_GPUS" "How many GPUs runs may have (default: those that the machine shows).";
    CUDA_VISIBLE_DEVICES "CUDA_VISIBLE_DEVICES" "The GPUs that the server gives to runs are taken from these.";
    AGENT_LOST "POLYAXON_AGENT_LOST" "Seconds of silence after which the runs of an agent or server are given up (default 600).";
    TTL_HEARTBEAT "POLYAXON_TTL_HEARTBEAT" "Seconds that a tracked run may be silent after a sign of life (default 1800, 0 is for ever).";
    INTERNAL_TOKEN "POLYAXON_SECRET_INTERNAL_TOKEN" "The secret that operators and other services of the installation name themselves with.";
    NO_COLOR "NO_COLOR" "Set to anything: no colours.";
    FORCE_COLOR "FORCE_COLOR" "Set to anything but 0: colours even without a terminal.";
    CLICOLOR_FORCE "CLICOLOR_FORCE" "As FORCE_COLOR.";
    LC_ALL "LC_ALL" "The character set of the terminal: without UTF-8 only ASCII is drawn.";
    LC_CTYPE "LC_CTYPE" "As LC_ALL, when that is not set.";
    LANG "LANG" "As LC_CTYPE, when that is not set.";
    TERM "TERM" "`dumb`: no colours and no links.";
}

/// The value of a variable; empty counts as absent.
pub(crate) fn text(variable: Variable) -> Option<String> {
    os(variable).and_then(|value| value.into_string().ok())
}

pub(crate) fn os(variable: Variable) -> Option<OsString> {
    std::env::var_os(variable.name).filter(|value| !value.is_empty())
}

/// A variable that a connection names: its owner chose it.
pub(crate) fn named(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether the terminal shows more than ASCII.
pub(crate) fn is_unicode() -> bool {
    let charset = [LC_ALL, LC_CTYPE, LANG].into_iter().find_map(text).unwrap_or_default().to_ascii_lowercase();
    charset.contains("utf-8") || charset.contains("utf8")
}
