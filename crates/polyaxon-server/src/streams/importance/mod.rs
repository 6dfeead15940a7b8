//! How much each parameter of many runs matters for a metric: the importance in a forest, and the linear correlation.

mod forest;
mod table;

use axum::Json;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::body::Body;
use crate::errors::{Error, StreamError};
use crate::openapi::shapes::ImportanceOfParameters;
use crate::streams::in_background;

/// One object of parameters and one number a run, in the same order.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct Observations {
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    params: Vec<Map<String, Value>>,
    #[serde(default)]
    metrics: Vec<Value>,
}

/// Weigh the parameters of many runs.
///
/// For every parameter its importance in a forest of extremely randomized trees (between 0 and 1, 1 together) and its
/// linear correlation with the metric. A parameter with words is one column for each word, named `parameter_word`. Null
/// when there is nothing to compare. The same request has the same answer.
#[utoipa::path(
    post, path = "/{owner}/{project}/runs/multi/importance", tag = "events",
    request_body = Observations, responses((status = 200, body = ImportanceOfParameters)),
)]
pub(crate) async fn weigh_parameters(Body(observations): Body<Observations>) -> Result<Json<Value>, StreamError> {
    let Observations { params, metrics } = observations;
    if params.len() != metrics.len() {
        let text =
            format!("expected one metric for each of the {} objects of `params`, got {}", params.len(), metrics.len());
        return Err(Error::field("metrics", text).into());
    }
    let weighed = in_background(move || Ok(weigh(&params, &metrics))).await?;
    Ok(Json(json!({ "data": weighed })))
}

fn weigh(params: &[Map<String, Value>], metrics: &[Value]) -> Option<Value> {
    let metrics: Vec<f64> = metrics.iter().map(Value::as_f64).collect::<Option<_>>()?;
    let (columns, metrics) = table::columns(params, &metrics)?;
    let importances = forest::importances(&columns, &metrics);
    let weighed = columns.iter().zip(importances).map(|(column, importance)| {
        let correlation = correlation(&column.values, &metrics);
        (column.name.clone(), json!({ "importance": rounded(importance), "correlation": correlation.map(rounded) }))
    });
    Some(Value::Object(weighed.collect()))
}

/// Pearson's coefficient; none when one of the two does not vary.
fn correlation(one: &[f64], other: &[f64]) -> Option<f64> {
    let count = one.len() as f64;
    let (mean_one, mean_other) = (one.iter().sum::<f64>() / count, other.iter().sum::<f64>() / count);
    let (mut both, mut square_one, mut square_other) = (0.0, 0.0, 0.0);
    for (one, other) in one.iter().zip(other) {
        both += (one - mean_one) * (other - mean_other);
        square_one += (one - mean_one).powi(2);
        square_other += (other - mean_other).powi(2);
    }
    let coefficient = both / (square_one * square_other).sqrt();
    coefficient.is_finite().then(|| coefficient.clamp(-1.0, 1.0))
}

fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weighed(params: Value, metrics: Value) -> Value {
        let params: Vec<Map<String, Value>> = serde_json::from_value(params).unwrap();
        weigh(&params, metrics.as_array().unwrap()).unwrap_or_default()
    }

    #[test]
    fn what_decides_the_metric_is_important() {
        let params: Vec<Value> =
            (0..60).map(|run| json!({ "lr": f64::from(run) / 60.0, "noise": (run * 37) % 11, "same": 1, "opt": if run % 2 == 0 { "adam" } else { "sgd" } })).collect();
        let metrics: Vec<f64> = (0..60).map(|run| 3.0 - f64::from(run) / 60.0).collect();
        let answer = weighed(json!(params), json!(metrics));
        let importance = |name: &str| answer[name]["importance"].as_f64().unwrap();
        assert_eq!(answer["lr"]["correlation"], -1.0);
        assert!(importance("lr") > 0.8, "{answer}");
        assert_eq!(answer["same"], json!({ "importance": 0.0, "correlation": null }));
        assert!(answer["opt_adam"].is_object() && answer["opt_sgd"].is_object(), "{answer}");
        let total: f64 = answer.as_object().unwrap().keys().map(|name| importance(name)).sum();
        assert!((total - 1.0).abs() < 0.01, "{total}");
        assert_eq!(answer, weighed(json!(params), json!(metrics)));
    }

    #[test]
    fn without_numbers_there_is_nothing_to_compare() {
        for (params, metrics) in [
            (json!([]), json!([])),
            (json!([{ "a": 1 }]), json!(["high"])),
            (json!([{ "a": 1 }, { "a": 2 }]), json!([1.0, null])),
        ] {
            assert_eq!(weighed(params, metrics), Value::Null);
        }
        let one = weighed(json!([{ "a": 1, "b": " " }]), json!([1.0]));
        assert_eq!(one["a"], json!({ "importance": 0.0, "correlation": null }));
        assert!(one["b_NAN"].is_object(), "{one}");
    }
}
