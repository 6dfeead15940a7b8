//! The metrics that a search looks at, and what it says when its trials do not report them.
//!
//! Must not know where outputs are kept: how many trials reported what is an argument.

use polyaxon_model::condition::METRIC_MISSING;
use polyaxon_model::status::Status;
use polyaxon_model::tree::{MetricOfInterest, Optimization};
use polyaxon_spec::likeness;
use serde_json::Value as Json;

use crate::state::Ending;

/// A metric that a search looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub metric: MetricOfInterest,
    pub by: By,
}

/// What looks at a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The next trials depend on it.
    Search,
    /// A tuner of the user's is told of it, and may go by something else.
    Tuner,
    /// Trials or the search end early by it.
    Policy,
}

/// How far the trials of a search reported a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    pub metric: String,
    pub by: By,
    /// Trials that succeeded.
    pub succeeded: u64,
    /// Those of them that did not report it as a number.
    pub lacking: u64,
    /// All trials that did, however they ended.
    pub reporting: u64,
    /// What one that lacks it reported instead of a number.
    pub odd: Option<Json>,
    /// The numbers that trials did report, the most frequent first.
    pub others: Vec<String>,
}

/// The metrics that a resolved matrix looks at; the first is the one to show.
pub fn wanted(matrix: &Json) -> Vec<Wanted> {
    let list = |field: &str| matrix.get(field).and_then(Json::as_array).into_iter().flatten();
    let by = if matrix.get("tuner").is_some_and(Json::is_object) { By::Tuner } else { By::Search };
    let of_search = matrix.get("metric").into_iter().chain(list("objectives"));
    let of_search = of_search.filter_map(|metric| read(metric, "name", by));
    let of_policies = list("earlyStopping").filter_map(|policy| read(policy, "metric", By::Policy));
    let mut wanted: Vec<Wanted> = Vec::new();
    for found in of_search.chain(of_policies) {
        if wanted.iter().all(|known| known.metric.name != found.metric.name) {
            wanted.push(found);
        }
    }
    wanted
}

fn read(section: &Json, field: &str, by: By) -> Option<Wanted> {
    let name = section.get(field)?.as_str()?.to_owned();
    let goal = section.get("optimization").and_then(Json::as_str).unwrap_or_default();
    let optimization =
        if goal.eq_ignore_ascii_case("minimize") { Optimization::Minimize } else { Optimization::Maximize };
    Some(Wanted { metric: MetricOfInterest { name, optimization }, by })
}

impl Report {
    /// Whether there was a result and never this metric.
    pub fn is_missing(&self) -> bool {
        self.succeeded > 0 && self.reporting == 0
    }

    /// A reported metric that may have been meant.
    pub fn meant(&self) -> Option<&str> {
        let most = (self.metric.chars().count() / 2).clamp(1, 3);
        likeness::closest(&self.metric, self.others.iter().map(String::as_str), most)
    }

    /// What is wrong, if anything is.
    pub fn sentence(&self) -> Option<String> {
        let Report { metric, succeeded, lacking, .. } = self;
        let what = match self.by {
            _ if *lacking == 0 => return None,
            By::Search | By::Tuner => "the metric of the search",
            By::Policy if self.is_missing() => "which `earlyStopping` looks at",
            By::Policy => return None,
        };
        let who = match succeeded {
            1 => "The one trial that succeeded did not report".to_owned(),
            _ if self.is_missing() => format!("None of the {succeeded} trials that succeeded reported"),
            _ => format!("{lacking} of the {succeeded} trials that succeeded did not report"),
        };
        let mut text = format!("{who} `{metric}`, {what}");
        if let Some(odd) = &self.odd {
            text.push_str(&format!(" (one reported `{odd}`, which is no number)"));
        }
        if self.is_missing() {
            let others: Vec<String> = self.others.iter().map(|name| format!("`{name}`")).collect();
            text.push_str(&match others.as_slice() {
                [] if *succeeded == 1 => "; it reported no numbers at all".to_owned(),
                [] => "; they reported no numbers at all".to_owned(),
                others => format!("; reported were {}", likeness::listed(others)),
            });
        }
        text.push('.');
        if let Some(meant) = self.meant().filter(|_| self.is_missing()) {
            text.push_str(&format!(" Did you mean `{meant}`?"));
        }
        Some(text)
    }
}

/// The end of a search, with what its trials did not report. One that never saw what it is to compare by has failed.
pub fn judge(ending: Ending, reports: &[Report]) -> Ending {
    let sentences: Vec<String> = reports.iter().filter_map(Report::sentence).collect();
    if sentences.is_empty() || !matches!(ending.status, Status::Succeeded | Status::Failed) {
        return ending;
    }
    let is_blind = reports.iter().any(|report| report.by == By::Search && report.is_missing());
    let told = sentences.join(" ");
    match ending.status {
        Status::Succeeded if is_blind => {
            let message = format!("Pipeline has failed, its trials did not report what they are compared by. {told}");
            Ending { status: Status::Failed, reason: METRIC_MISSING.to_owned(), message }
        }
        Status::Succeeded => {
            Ending { reason: METRIC_MISSING.to_owned(), message: format!("{} {told}", ending.message), ..ending }
        }
        _ => Ending { message: format!("{} {told}", ending.message), ..ending },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn report(succeeded: u64, lacking: u64, reporting: u64, others: &[&str]) -> Report {
        let others = others.iter().map(|name| (*name).to_owned()).collect();
        Report { metric: "los".to_owned(), by: By::Search, succeeded, lacking, reporting, odd: None, others }
    }

    #[test]
    fn what_is_said_about_a_metric() {
        let check = |report: &Report, expected: Option<&str>| assert_eq!(report.sentence().as_deref(), expected);
        check(&report(4, 0, 4, &[]), None);
        check(&report(0, 0, 0, &[]), None);
        check(
            &report(4, 4, 0, &["accuracy", "loss"]),
            Some(
                "None of the 4 trials that succeeded reported `los`, the metric of the search; reported were \
                 `accuracy`, `loss`. Did you mean `loss`?",
            ),
        );
        check(
            &report(1, 1, 0, &[]),
            Some(
                "The one trial that succeeded did not report `los`, the metric of the search; it reported no numbers \
                 at all.",
            ),
        );
        check(
            &report(4, 1, 3, &["loss"]),
            Some("1 of the 4 trials that succeeded did not report `los`, the metric of the search."),
        );
        let odd = Report { odd: Some(json!("0.5")), ..report(4, 1, 3, &[]) };
        check(
            &odd,
            Some(
                "1 of the 4 trials that succeeded did not report `los`, the metric of the search (one reported \
                 `\"0.5\"`, which is no number).",
            ),
        );
        let policy = Report { by: By::Policy, ..report(4, 4, 0, &["x"]) };
        check(
            &policy,
            Some(
                "None of the 4 trials that succeeded reported `los`, which `earlyStopping` looks at; reported were \
                 `x`.",
            ),
        );
        check(&Report { lacking: 1, reporting: 3, ..policy }, None);
    }

    #[test]
    fn only_a_search_that_needs_it_fails_without_its_metric() {
        let succeeded = Ending {
            status: Status::Succeeded,
            reason: "SchedulerPipeline".to_owned(),
            message: "Pipeline has succeeded.".to_owned(),
        };
        let check = |ending: &Ending, report: Report, status: Status, reason: &str| {
            let judged = judge(ending.clone(), &[report]);
            assert_eq!((judged.status, judged.reason.as_str()), (status, reason), "{}", judged.message);
        };
        check(&succeeded, report(4, 0, 4, &[]), Status::Succeeded, "SchedulerPipeline");
        check(&succeeded, report(4, 1, 3, &[]), Status::Succeeded, METRIC_MISSING);
        check(&succeeded, report(4, 4, 0, &[]), Status::Failed, METRIC_MISSING);
        // A trial that was stopped reported it: the name is right.
        check(&succeeded, report(4, 4, 1, &[]), Status::Succeeded, METRIC_MISSING);
        check(&succeeded, Report { by: By::Tuner, ..report(4, 4, 0, &[]) }, Status::Succeeded, METRIC_MISSING);
        check(&succeeded, Report { by: By::Policy, ..report(4, 4, 0, &[]) }, Status::Succeeded, METRIC_MISSING);
        let failed = Ending { status: Status::Failed, ..succeeded.clone() };
        check(&failed, report(4, 4, 0, &[]), Status::Failed, "SchedulerPipeline");
        let stopped = Ending { status: Status::Stopped, ..succeeded };
        assert_eq!(judge(stopped.clone(), &[report(4, 4, 0, &[])]), stopped);
    }

    #[test]
    fn what_a_matrix_looks_at() {
        let names = |matrix: Json| {
            let wanted = wanted(&matrix).into_iter();
            wanted.map(|wanted| (wanted.metric.name, wanted.metric.optimization, wanted.by)).collect::<Vec<_>>()
        };
        let minimized = |name: &str, by| (name.to_owned(), Optimization::Minimize, by);
        let maximized = |name: &str, by| (name.to_owned(), Optimization::Maximize, by);
        assert_eq!(
            names(json!({ "kind": "bayes", "metric": { "name": "loss", "optimization": "Minimize" } })),
            [minimized("loss", By::Search)]
        );
        assert_eq!(
            names(json!({ "kind": "bayes", "metric": { "name": "loss", "optimization": "minimize" },
                "tuner": { "hubRef": "mine:1" } })),
            [minimized("loss", By::Tuner)]
        );
        assert_eq!(
            names(json!({ "kind": "tpe", "metric": { "name": "loss", "optimization": "minimize" },
                "objectives": [{ "name": "b" }], "earlyStopping": [{ "kind": "metric_early_stopping", "metric": "b" }] })),
            [minimized("loss", By::Search), maximized("b", By::Search)]
        );
        assert_eq!(
            names(json!({ "kind": "grid", "earlyStopping": [{ "kind": "failure_early_stopping" },
                { "kind": "metric_early_stopping", "metric": "loss", "optimization": "minimize", "value": 1 }] })),
            [minimized("loss", By::Policy)]
        );
        assert_eq!(names(json!({ "kind": "grid", "params": {} })), []);
        assert_eq!(names(json!(3)), []);
    }
}
