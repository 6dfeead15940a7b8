//! `earlyStopping` of a matrix or a dag: the rules, and those that end the whole pipeline.

use polyaxon_spec::node::{Node, Value};

use super::policy::Policy;
use crate::error::Error;
use crate::trial::Goal;

/// One entry of `earlyStopping`.
#[derive(Clone, Debug, PartialEq)]
pub enum Rule {
    /// Ends the pipeline when too many of its runs failed.
    Failure { percent: f64 },
    /// Ends the pipeline when one run reaches a value.
    Metric { metric: String, value: f64, goal: Goal },
    /// Ends single runs that are worse than others; the pipeline goes on.
    Trials { metric: String, goal: Goal, policy: Policy },
}

/// The runs of a pipeline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub all: u64,
    /// Failed ones, with those whose upstream failed.
    pub failed: u64,
}

impl Rule {
    /// Whether so many failures end the pipeline.
    pub fn is_failure(&self, counts: Counts) -> bool {
        match self {
            Rule::Failure { percent } => counts.all > 0 && 100.0 * counts.failed as f64 >= percent * counts.all as f64,
            Rule::Metric { .. } | Rule::Trials { .. } => false,
        }
    }
}

/// Whether a metric has reached a value.
pub fn reaches(goal: Goal, metric: f64, value: f64) -> bool {
    match goal {
        Goal::Maximize => metric >= value,
        Goal::Minimize => metric <= value,
    }
}

/// Reads a canonical `earlyStopping` whose templates were rendered.
pub fn read(early_stopping: &Node) -> Result<Vec<Rule>, Error> {
    early_stopping.as_list().unwrap_or_default().iter().map(read_rule).collect()
}

fn read_rule(rule: &Node) -> Result<Rule, Error> {
    match rule.get("kind").and_then(Node::as_str) {
        Some("failure_early_stopping") => Ok(Rule::Failure { percent: percent(rule)? }),
        _ => {
            let metric = rule.get("metric").and_then(Node::as_str).unwrap_or_default().to_owned();
            let goal = goal(rule)?;
            Ok(match rule.get("policy").filter(|policy| !policy.is_null()) {
                Some(policy) => Rule::Trials { metric, goal, policy: read_policy(policy)? },
                None => Rule::Metric { metric, value: number(rule, "value", "a number")?, goal },
            })
        }
    }
}

fn goal(rule: &Node) -> Result<Goal, Error> {
    let found = rule.get("optimization").map(|node| node.to_json().to_string()).unwrap_or_default();
    match found.trim_matches('"').to_lowercase().as_str() {
        "maximize" => Ok(Goal::Maximize),
        "minimize" => Ok(Goal::Minimize),
        _ => Err(Error::Field { field: "optimization", found, expected: "`maximize` or `minimize`" }),
    }
}

fn read_policy(policy: &Node) -> Result<Policy, Error> {
    let count = |field: &'static str, default: f64| -> Result<u64, Error> {
        if policy.get(field).is_none_or(Node::is_null) {
            return Ok(default as u64);
        }
        Ok(number(policy, field, "a whole number")?.max(0.0) as u64)
    };
    let interval = count("evaluationInterval", 1.0)?.max(1);
    let (first, samples) = (count("minInterval", 0.0)?, count("minSamples", 1.0)?);
    match policy.get("kind").and_then(Node::as_str) {
        Some("truncation") => Ok(Policy::Truncation {
            interval,
            first,
            samples,
            percent: percent(policy)?,
            with_succeeded: policy.get("includeSucceeded").and_then(Node::as_bool).unwrap_or(false),
        }),
        Some("diff") => Ok(Policy::Difference { interval, first, samples, percent: percent(policy)? }),
        _ => Ok(Policy::Median { interval, first, samples }),
    }
}

fn percent(node: &Node) -> Result<f64, Error> {
    number(node, "percent", "a number of percent")
}

fn number(node: &Node, field: &'static str, expected: &'static str) -> Result<f64, Error> {
    match node.get(field).map(|node| &node.value) {
        Some(Value::Int(value)) => Ok(*value as f64),
        Some(Value::Float(value)) if value.is_finite() => Ok(*value),
        found => {
            let found = found.map_or("missing".to_owned(), |value| Node::bare(value.clone()).to_json().to_string());
            Err(Error::Field { field, found, expected })
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rules_are_read_with_their_defaults() {
        let rules = json!([
            {"kind": "failure_early_stopping", "percent": 50},
            {"kind": "metric_early_stopping", "metric": "acc", "value": 0.9, "optimization": "Maximize"},
            {"kind": "metric_early_stopping", "metric": "loss", "value": 0, "optimization": "minimize",
             "policy": {"kind": "truncation", "percent": 40, "evaluationInterval": 5}},
        ]);
        let policy = Policy::Truncation { interval: 5, first: 0, samples: 1, percent: 40.0, with_succeeded: false };
        assert_eq!(
            read(&Node::from_json(&rules)).unwrap(),
            [
                Rule::Failure { percent: 50.0 },
                Rule::Metric { metric: "acc".into(), value: 0.9, goal: Goal::Maximize },
                Rule::Trials { metric: "loss".into(), goal: Goal::Minimize, policy },
            ]
        );
        let number = json!([{"kind": "metric_early_stopping", "metric": "a", "value": 1, "optimization": 0.5}]);
        assert!(read(&Node::from_json(&number)).unwrap_err().to_string().contains("`maximize` or `minimize`"));
    }

    #[test]
    fn failures_count_against_all_runs() {
        let rule = Rule::Failure { percent: 50.0 };
        for (all, failed, ends) in [(4, 2, true), (5, 2, false), (0, 0, false), (1, 1, true)] {
            assert_eq!(rule.is_failure(Counts { all, failed }), ends);
        }
    }

    #[test]
    fn values_are_reached_from_either_side() {
        assert!(reaches(Goal::Maximize, 0.9, 0.9) && !reaches(Goal::Maximize, 0.8, 0.9));
        assert!(reaches(Goal::Minimize, 0.1, 0.1) && !reaches(Goal::Minimize, f64::NAN, 0.9));
    }
}
