//! How an outcome reads for people.

use std::time::Duration;

use rustix::process::Signal;

use super::record::Outcome;

/// What became of an attempt, in one sentence without a final period; nothing to say about success.
pub(super) fn message(outcome: &Outcome, task: &str, is_init: bool, timeout: Option<Duration>) -> Option<String> {
    let subject = if is_init { format!("init task `{task}`") } else { "the process".to_owned() };
    Some(match outcome {
        Outcome::Exited { code: 0 } => return None,
        Outcome::Exited { code } => format!("{subject} ended with exit code {code}{}", exit_hint(*code)),
        Outcome::Killed { signal } => format!("{subject} was {}", killed_by(*signal)),
        Outcome::TimedOut => {
            format!("{subject} was ended after the timeout of {} s", timeout.unwrap_or_default().as_secs())
        }
        Outcome::Stopped { reason: Some(reason) } => format!("{subject} was stopped: {reason}"),
        Outcome::Stopped { reason: None } => format!("{subject} was stopped"),
        // The sentence about it is made where it is known.
        Outcome::NotStarted { .. } => return None,
    })
}

/// Shells report the end of what they started by signal `n` as 128 + n.
fn exit_hint(code: i32) -> String {
    match (code, Signal::from_named_raw(code - 128).and_then(name)) {
        (126, _) => " (a shell reports this when a command is not executable)".to_owned(),
        (127, _) => " (a shell reports this when a command is not found)".to_owned(),
        (129.., Some(name)) => format!(" (a program in it was probably killed by {name})"),
        _ => String::new(),
    }
}

fn killed_by(signal: i32) -> String {
    let name = Signal::from_named_raw(signal).and_then(name).unwrap_or("a signal");
    let hint = match name {
        "SIGKILL" => "; the system does this when memory runs out (see `dmesg`)",
        "SIGSEGV" => "; it accessed memory that is not its own",
        "SIGILL" => "; it may be built for another processor",
        "SIGXCPU" => "; it used up its processor time limit",
        "SIGXFSZ" => "; it wrote a file larger than its limit",
        _ => "",
    };
    format!("killed by {name} (signal {signal}){hint}")
}

fn name(signal: Signal) -> Option<&'static str> {
    const NAMES: [(Signal, &str); 16] = [
        (Signal::HUP, "SIGHUP"),
        (Signal::INT, "SIGINT"),
        (Signal::QUIT, "SIGQUIT"),
        (Signal::ILL, "SIGILL"),
        (Signal::TRAP, "SIGTRAP"),
        (Signal::ABORT, "SIGABRT"),
        (Signal::BUS, "SIGBUS"),
        (Signal::FPE, "SIGFPE"),
        (Signal::KILL, "SIGKILL"),
        (Signal::USR1, "SIGUSR1"),
        (Signal::SEGV, "SIGSEGV"),
        (Signal::USR2, "SIGUSR2"),
        (Signal::PIPE, "SIGPIPE"),
        (Signal::ALARM, "SIGALRM"),
        (Signal::TERM, "SIGTERM"),
        (Signal::XFSZ, "SIGXFSZ"),
    ];
    NAMES.iter().find(|(known, _)| *known == signal).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_its_sentence() {
        for (outcome, expected) in [
            (Outcome::Exited { code: 0 }, None),
            (Outcome::Exited { code: 3 }, Some("the process ended with exit code 3")),
            (
                Outcome::Exited { code: 127 },
                Some("the process ended with exit code 127 (a shell reports this when a command is not found)"),
            ),
            (
                Outcome::Exited { code: 137 },
                Some("the process ended with exit code 137 (a program in it was probably killed by SIGKILL)"),
            ),
            (
                Outcome::Killed { signal: 9 },
                Some(
                    "the process was killed by SIGKILL (signal 9); the system does this when memory runs out (see `dmesg`)",
                ),
            ),
            (Outcome::Killed { signal: 40 }, Some("the process was killed by a signal (signal 40)")),
            (Outcome::TimedOut, Some("the process was ended after the timeout of 5 s")),
        ] {
            assert_eq!(message(&outcome, "main", false, Some(Duration::from_secs(5))).as_deref(), expected);
        }
        let failed = message(&Outcome::Exited { code: 1 }, "polyaxon-init-git", true, None);
        assert_eq!(failed.as_deref(), Some("init task `polyaxon-init-git` ended with exit code 1"));
    }
}
