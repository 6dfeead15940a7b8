//! The statuses of a run and the groups that rules are written in.
//!
//! Must not know transitions: `polyaxon_engine::lifecycle` is their only place.

use crate::wire_enum::wire_enum;

wire_enum! {
    /// A status. `Done` is a pseudo status of hook triggers and event kinds; no run ever has it.
    Status as "run status" {
        Created = "created",
        OnSchedule = "on_schedule",
        Resuming = "resuming",
        Compiled = "compiled",
        Queued = "queued",
        Scheduled = "scheduled",
        Starting = "starting",
        Running = "running",
        Processing = "processing",
        Stopping = "stopping",
        Failed = "failed",
        Stopped = "stopped",
        Succeeded = "succeeded",
        Skipped = "skipped",
        Warning = "warning",
        Unschedulable = "unschedulable",
        UpstreamFailed = "upstream_failed",
        Retrying = "retrying",
        Unknown = "unknown",
        Done = "done",
    }
}

impl Status {
    /// The five final statuses.
    pub const DONE: &'static [Status] =
        &[Status::Failed, Status::UpstreamFailed, Status::Stopped, Status::Skipped, Status::Succeeded];

    /// The statuses in which a run holds a slot.
    pub const ON_CLUSTER: &'static [Status] = &[
        Status::Scheduled,
        Status::Starting,
        Status::Processing,
        Status::Running,
        Status::Warning,
        Status::Unschedulable,
        Status::Unknown,
    ];

    /// Final: the run has ended.
    pub const fn is_done(self) -> bool {
        use Status as S;
        matches!(self, S::Failed | S::UpstreamFailed | S::Stopped | S::Skipped | S::Succeeded)
    }

    /// Ended or being stopped.
    pub const fn is_done_or_stopping(self) -> bool {
        self.is_done() || matches!(self, Status::Stopping)
    }

    /// Not compiled yet.
    pub const fn is_pending(self) -> bool {
        matches!(self, Status::Created | Status::OnSchedule | Status::Resuming)
    }

    /// May be prepared (compiled and resolved).
    pub const fn is_compilable(self) -> bool {
        self.is_pending() || matches!(self, Status::Retrying)
    }

    /// Stop and skip act at once, nobody else has to do anything.
    pub const fn is_safe_stop(self) -> bool {
        self.is_pending() || matches!(self, Status::Compiled)
    }

    /// Waits for something before it may run.
    pub const fn is_waiting(self) -> bool {
        self.is_compilable() || matches!(self, Status::Compiled | Status::Queued)
    }

    /// Handed to an executor and healthy.
    pub const fn is_running(self) -> bool {
        matches!(self, Status::Scheduled | Status::Starting | Status::Processing | Status::Running)
    }

    pub const fn is_warning(self) -> bool {
        matches!(self, Status::Warning | Status::Unschedulable | Status::Unknown)
    }

    /// Counts against concurrency; stopping it needs the executor.
    pub const fn is_on_cluster(self) -> bool {
        self.is_running() || self.is_warning()
    }

    /// The work itself has begun: stamps `started_at` (`scheduled` does not).
    pub const fn is_started(self) -> bool {
        matches!(self, Status::Starting | Status::Processing | Status::Running)
    }

    /// How terminals and pages show it.
    pub const fn color(self) -> StatusColor {
        match self {
            Status::Failed | Status::UpstreamFailed => StatusColor::Red,
            Status::Succeeded | Status::Skipped => StatusColor::Green,
            Status::Stopped => StatusColor::Grey,
            _ => StatusColor::Yellow,
        }
    }
}

/// The four official colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusColor {
    Red,
    Green,
    Grey,
    Yellow,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(belongs: impl Fn(Status) -> bool) -> String {
        Status::ALL
            .iter()
            .filter(|status| belongs(**status))
            .map(|status| status.as_str())
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn groups_are_the_official_ones() {
        assert_eq!(Status::ALL.len(), 20);
        assert_eq!(group(Status::is_done), "failed stopped succeeded skipped upstream_failed");
        assert_eq!(group(Status::is_done_or_stopping), "stopping failed stopped succeeded skipped upstream_failed");
        assert_eq!(group(Status::is_pending), "created on_schedule resuming");
        assert_eq!(group(Status::is_compilable), "created on_schedule resuming retrying");
        assert_eq!(group(Status::is_safe_stop), "created on_schedule resuming compiled");
        assert_eq!(group(Status::is_waiting), "created on_schedule resuming compiled queued retrying");
        assert_eq!(group(Status::is_running), "scheduled starting running processing");
        assert_eq!(group(Status::is_started), "starting running processing");
        assert_eq!(group(Status::is_on_cluster), "scheduled starting running processing warning unschedulable unknown");
        assert_eq!(group(|status| Status::DONE.contains(&status)), group(Status::is_done));
        assert_eq!(group(|status| Status::ON_CLUSTER.contains(&status)), group(Status::is_on_cluster));
    }

    #[test]
    fn wire_names_round_trip_and_unknown_words_are_explained() {
        for status in Status::ALL {
            assert_eq!(status.as_str().parse::<Status>().as_ref(), Ok(status));
        }
        let message = "runing".parse::<Status>().unwrap_err().to_string();
        assert!(
            message.starts_with("`runing` is not a run status, expected one of: created, on_schedule"),
            "{message}"
        );
    }
}
