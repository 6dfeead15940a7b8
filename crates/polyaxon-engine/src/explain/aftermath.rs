//! What should have followed the end of a run and did not.

use polyaxon_model::time::Timestamp;

use super::{Facts, Words};

/// A notification that was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untold {
    pub connection: String,
    /// Why the last attempt failed; none before the first.
    pub error: Option<String>,
    /// When it is tried again; none when it was given up.
    pub due_at: Option<Timestamp>,
}

pub(super) fn aftermath(facts: &Facts, words: &mut Words) {
    for problem in &facts.hook_problems {
        words.because("hook", format!("A hook was not started: {problem}."));
    }
    for untold in &facts.untold {
        let name = &untold.connection;
        let why = untold.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
        match untold.due_at {
            Some(at) if untold.error.is_some() => {
                words.because("notification", format!("`{name}` was not told yet{why}. It is tried again at {at}."));
            }
            Some(_) => words.because("notification", format!("`{name}` is about to be told.")),
            None => {
                words.because("notification", format!("`{name}` was not told{why}. It is not tried again."));
                words.advise(format!(
                    "Mend the connection `{name}` of the server; its next run tells whether it works."
                ));
            }
        }
    }
}
