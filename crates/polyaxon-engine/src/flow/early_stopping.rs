//! When a pipeline ends before all of its children have run.

use polyaxon_model::JsonMap;
use polyaxon_model::status::Status;
use serde_json::Value as Json;

use super::pruning::Pruning;
use crate::state::Ending;

/// The policies of a pipeline, in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct Policies(Vec<Policy>);

#[derive(Clone, Debug, PartialEq)]
enum Policy {
    /// Too many operations failed.
    Failure { percent: f64 },
    /// A metric is good enough.
    Metric { name: String, value: f64, is_maximized: bool },
    /// A metric is worse than that of other runs; this ends single runs.
    Pruning(Pruning),
}

/// What is known when a child has ended or reports something.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// Operations that failed or could not run.
    pub bad: u64,
    pub total: u64,
    /// What the child produced so far.
    pub outputs: JsonMap,
}

/// The policy that ends a pipeline, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    pub kind: &'static str,
    /// What the policy saw.
    pub value: f64,
    pub ending: Ending,
}

impl Policies {
    /// Reads the resolved `earlyStopping` section.
    pub fn read(section: &Json) -> Policies {
        Policies(section.as_array().into_iter().flatten().filter_map(read).collect())
    }

    /// The policies that end single runs, with their numbers.
    pub fn of_runs(&self) -> impl Iterator<Item = (usize, &Pruning)> {
        self.0.iter().enumerate().filter_map(|(number, policy)| match policy {
            Policy::Pruning(pruning) => Some((number, pruning)),
            Policy::Failure { .. } | Policy::Metric { .. } => None,
        })
    }

    /// The metrics of running children that matter.
    pub fn metrics(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|policy| match policy {
            Policy::Metric { name, .. } => Some(name.as_str()),
            Policy::Pruning(pruning) => Some(pruning.metric.as_str()),
            Policy::Failure { .. } => None,
        })
    }

    /// The first policy that ends the pipeline.
    pub fn decide(&self, seen: &Seen) -> Option<Verdict> {
        self.0.iter().find_map(|policy| policy.decide(seen))
    }
}

fn read(policy: &Json) -> Option<Policy> {
    match policy.get("kind")?.as_str()? {
        "failure_early_stopping" => Some(Policy::Failure { percent: policy.get("percent")?.as_f64()? }),
        "metric_early_stopping" => {
            let is_maximized = policy.get("optimization")?.as_str()?.eq_ignore_ascii_case("maximize");
            let name = policy.get("metric")?.as_str()?;
            if policy.get("policy").is_some_and(|policy| !policy.is_null()) {
                return Pruning::read(policy, name, is_maximized).map(Policy::Pruning);
            }
            Some(Policy::Metric { name: name.to_owned(), value: policy.get("value")?.as_f64()?, is_maximized })
        }
        _ => None,
    }
}

impl Policy {
    fn decide(&self, seen: &Seen) -> Option<Verdict> {
        let ending = |status, message| Ending { status, reason: "SchedulerEarlyStopping".to_owned(), message };
        match self {
            Policy::Failure { percent } => {
                let share = 100.0 * seen.bad as f64 / seen.total.max(1) as f64;
                let message =
                    format!("{} of {} operations failed, {percent} % end the pipeline.", seen.bad, seen.total);
                (seen.bad > 0 && share >= *percent).then(|| Verdict {
                    kind: "failure_early_stopping",
                    value: share,
                    ending: ending(Status::Failed, message),
                })
            }
            Policy::Metric { name, value, is_maximized } => {
                let found = seen.outputs.get(name).and_then(Json::as_f64)?;
                let is_reached = if *is_maximized { found >= *value } else { found <= *value };
                let message = format!("The metric `{name}` is {found}, which was to reach {value}.");
                is_reached.then(|| Verdict {
                    kind: "metric_early_stopping",
                    value: found,
                    ending: ending(Status::Succeeded, message),
                })
            }
            Policy::Pruning(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn decided(section: &Json, bad: u64, outputs: Json) -> Option<(Status, f64)> {
        let seen = Seen { bad, total: 8, outputs: outputs.as_object().cloned().unwrap_or_default() };
        Policies::read(section).decide(&seen).map(|verdict| (verdict.ending.status, verdict.value))
    }

    #[test]
    fn a_share_of_failures_fails_the_pipeline() {
        let section = json!([{ "kind": "failure_early_stopping", "percent": 25 }]);
        assert_eq!(decided(&section, 1, json!({})), None);
        assert_eq!(decided(&section, 2, json!({})), Some((Status::Failed, 25.0)));
        let none = json!([{ "kind": "failure_early_stopping", "percent": 0 }]);
        assert_eq!(decided(&none, 0, json!({})), None);
    }

    #[test]
    fn a_metric_that_is_reached_makes_it_succeed() {
        let metric = |optimization: &str| json!([{ "kind": "metric_early_stopping", "metric": "acc", "value": 0.9, "optimization": optimization }]);
        assert_eq!(decided(&metric("maximize"), 0, json!({ "acc": 0.95 })), Some((Status::Succeeded, 0.95)));
        assert_eq!(decided(&metric("Maximize"), 0, json!({ "acc": 0.8 })), None);
        assert_eq!(decided(&metric("minimize"), 0, json!({ "acc": 0.8 })), Some((Status::Succeeded, 0.8)));
        assert_eq!(decided(&metric("minimize"), 0, json!({ "acc": "low" })), None);
        let mut single = metric("maximize");
        single[0]["policy"] = json!({ "kind": "median" });
        assert_eq!(decided(&single, 0, json!({ "acc": 1 })), None);
        assert_eq!(Policies::read(&single).of_runs().map(|(number, _)| number).collect::<Vec<_>>(), [0]);
    }
}
