//! The error of a command: what failed, why, what to do, and the exit code that tells scripts.

use polyaxon_client::error::Error as ClientError;
use polyaxon_spec::diagnostic::Diagnostic;
use polyaxon_spec::span::Sources;

use crate::exit::Exit;

#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
    /// From near to far; shown one a line.
    pub(crate) causes: Vec<String>,
    pub(crate) help: Option<String>,
    pub(crate) request: Option<Box<RefusedRequest>>,
    /// The findings of an invalid file, with the texts they point into.
    pub(crate) findings: Option<Box<(Sources, Vec<Diagnostic>)>>,
}

/// The request that the server refused.
#[derive(Debug)]
pub(crate) struct RefusedRequest {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) status: u16,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Failure {
        Failure {
            exit: Exit::Failure,
            message: message.into(),
            causes: Vec::new(),
            help: None,
            request: None,
            findings: None,
        }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Failure {
        Failure::new(message).exit(Exit::Usage)
    }

    /// An invalid file: every finding is printed.
    pub(crate) fn invalid(sources: Sources, diagnostics: Vec<Diagnostic>) -> Failure {
        let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
        let message = match errors {
            1 => "1 error found, nothing was run".to_owned(),
            _ => format!("{errors} errors found, nothing was run"),
        };
        Failure { findings: Some(Box::new((sources, diagnostics))), ..Failure::usage(message) }
    }

    /// A part of the official program that this version does not have.
    pub(crate) fn unsupported(what: &str) -> Failure {
        Failure::new(format!("`{what}` is not supported by this version yet"))
            .help("the official client does it, and works against this server: pip install polyaxon")
    }

    pub(crate) fn exit(mut self, exit: Exit) -> Failure {
        self.exit = exit;
        self
    }

    pub(crate) fn cause(mut self, cause: impl Into<String>) -> Failure {
        self.causes.push(cause.into());
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Failure {
        self.help = Some(help.into());
        self
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Failure {
        let mut failure = Failure::new(error.to_string());
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            failure.causes.push(cause.to_string());
            source = cause.source();
        }
        failure.causes.dedup();
        match error {
            ClientError::Host { reason, .. } => Failure { exit: Exit::Usage, causes: vec![reason], ..failure }
                .help("an address looks like http://localhost:8000; see `polyaxon config show --origin`"),
            ClientError::Unreachable { .. } => failure.exit(Exit::Unreachable).help(
                "is it running? `polyaxon server start` starts one here; `polyaxon config show --origin` shows where the \
                 address comes from",
            ),
            ClientError::Broken { .. } => failure.exit(Exit::Unreachable),
            ClientError::Timeout { .. } => {
                failure.exit(Exit::Timeout).help("POLYAXON_TIMEOUT sets how many seconds to wait")
            }
            ClientError::Refused { method, url, status, message } => {
                let exit = match status {
                    401 | 403 => Exit::Auth,
                    404 => Exit::NotFound,
                    409 => Exit::Conflict,
                    400 | 422 if message.contains("already exists") => Exit::Conflict,
                    400 | 422 => Exit::Usage,
                    408 | 504 => Exit::Timeout,
                    502 | 503 => Exit::Unreachable,
                    _ => Exit::Failure,
                };
                Failure { request: Some(Box::new(RefusedRequest { method, url, status })), ..failure.exit(exit) }
            }
            ClientError::Unreadable { excerpt, .. } => failure.cause(format!("it answered: {excerpt}")),
            ClientError::Prepare { .. } | ClientError::Write { .. } => failure,
        }
    }
}
