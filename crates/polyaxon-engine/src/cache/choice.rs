//! Which of the runs with the same key stands for a new one.

use std::fmt;
use std::time::Duration;

use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::LiveState;
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;

/// An earlier run with the same key; of one that reused a result itself, the run that it took it from.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    pub run: RunId,
    pub status: Status,
    pub live_state: LiveState,
    pub finished_at: Option<Timestamp>,
    /// Whether its artifacts are still there.
    pub has_folder: bool,
}

/// What becomes of a run that looked for an equal one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Takes the result of this run.
    Reuse(RunId),
    /// Waits for the result of this run.
    Wait(RunId),
    /// Runs itself. The reason why the newest equal run was not taken, if there is one.
    Run(Option<(RunId, Unfit)>),
}

/// Why an equal run cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    Hidden,
    Unsuccessful(Status),
    Expired(Duration),
    FolderGone,
}

impl fmt::Display for Unfit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unfit::Hidden => write!(out, "it is archived or being deleted"),
            Unfit::Unsuccessful(status) => write!(out, "it is {status}"),
            Unfit::Expired(ttl) => write!(out, "it ended more than `cache.ttl`, {} s, before", ttl.as_secs()),
            Unfit::FolderGone => write!(out, "its artifacts are gone"),
        }
    }
}

/// Chooses among candidates, newest first: one that works or has succeeded, else one that has yet to begin.
pub fn choose(candidates: &[Candidate], ttl: Option<Duration>, now: Timestamp) -> Choice {
    let fit: Vec<&Candidate> = candidates.iter().filter(|candidate| unfit(candidate, ttl, now).is_none()).collect();
    let chosen = fit.iter().find(|candidate| is_ahead(candidate.status)).or(fit.first());
    match chosen {
        Some(chosen) if chosen.status == Status::Succeeded => Choice::Reuse(chosen.run),
        Some(chosen) => Choice::Wait(chosen.run),
        None => {
            let reason = |candidate: &Candidate| Some((candidate.run, unfit(candidate, ttl, now)?));
            Choice::Run(candidates.first().and_then(reason))
        }
    }
}

fn unfit(candidate: &Candidate, ttl: Option<Duration>, now: Timestamp) -> Option<Unfit> {
    let Candidate { status, live_state, .. } = *candidate;
    if live_state != LiveState::Live {
        return Some(Unfit::Hidden);
    }
    if status != Status::Succeeded {
        return status.is_done_or_stopping().then_some(Unfit::Unsuccessful(status));
    }
    if let (Some(ttl), Some(finished_at)) = (ttl, candidate.finished_at)
        && now >= finished_at.plus(ttl)
    {
        return Some(Unfit::Expired(ttl));
    }
    (!candidate.has_folder).then_some(Unfit::FolderGone)
}

fn is_ahead(status: Status) -> bool {
    matches!(status, Status::Processing | Status::Scheduled | Status::Starting | Status::Running | Status::Succeeded)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3600;

    fn candidate(number: u128, status: Status) -> Candidate {
        Candidate {
            run: RunId::new(uuid::Uuid::from_u128(number)),
            status,
            live_state: LiveState::Live,
            finished_at: status.is_done().then(|| Timestamp::from_micros(0)),
            has_folder: true,
        }
    }

    #[test]
    fn the_newest_that_is_ahead_is_taken() {
        use Status as S;
        let archived = Candidate { live_state: LiveState::Archived, ..candidate(1, S::Succeeded) };
        let empty = Candidate { has_folder: false, ..candidate(1, S::Succeeded) };
        let run = |number: u128| RunId::new(uuid::Uuid::from_u128(number));
        let hour = Duration::from_secs(HOUR);
        let cases = [
            (vec![], None, Choice::Run(None)),
            (vec![candidate(1, S::Succeeded)], None, Choice::Reuse(run(1))),
            (vec![candidate(1, S::Succeeded)], Some(hour + hour), Choice::Reuse(run(1))),
            (vec![candidate(1, S::Succeeded)], Some(hour), Choice::Run(Some((run(1), Unfit::Expired(hour))))),
            (vec![candidate(2, S::Queued), candidate(1, S::Running)], None, Choice::Wait(run(1))),
            (vec![candidate(2, S::Created), candidate(1, S::Failed)], None, Choice::Wait(run(2))),
            (vec![candidate(2, S::Running), candidate(1, S::Succeeded)], None, Choice::Wait(run(2))),
            (vec![candidate(2, S::Failed), candidate(1, S::Succeeded)], None, Choice::Reuse(run(1))),
            (vec![candidate(1, S::Failed)], None, Choice::Run(Some((run(1), Unfit::Unsuccessful(S::Failed))))),
            (vec![candidate(1, S::Stopping)], None, Choice::Run(Some((run(1), Unfit::Unsuccessful(S::Stopping))))),
            (vec![archived], None, Choice::Run(Some((run(1), Unfit::Hidden)))),
            (vec![empty], None, Choice::Run(Some((run(1), Unfit::FolderGone)))),
        ];
        for (candidates, ttl, expected) in cases {
            let now = Timestamp::from_micros(0).plus(hour);
            assert_eq!(choose(&candidates, ttl, now), expected, "{candidates:?}");
        }
    }
}
