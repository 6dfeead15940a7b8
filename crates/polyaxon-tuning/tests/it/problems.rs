//! Functions with known minima, to measure searches with. The same as in `bench/tuner.py`.

use std::f64::consts::PI;

use polyaxon_tuning::Configuration;
use serde_json::{Value as Json, json};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    Branin,
    Hartmann6,
    /// Three numbers and three choices that depend on each other, like a loss of training.
    Mixed,
}

impl Problem {
    pub(crate) fn params(self) -> Json {
        match self {
            Problem::Branin => json!({
                "x1": {"kind": "uniform", "value": [-5, 10]},
                "x2": {"kind": "uniform", "value": [0, 15]},
            }),
            Problem::Hartmann6 => {
                (0..6).map(|at| (format!("x{at}"), json!({"kind": "uniform", "value": [0, 1]}))).collect()
            }
            Problem::Mixed => json!({
                "log10_lr": {"kind": "uniform", "value": [-5, -1]},
                "dropout": {"kind": "uniform", "value": [0, 0.6]},
                "layers": {"kind": "range", "value": [1, 10, 1]},
                "batch": {"kind": "choice", "value": [16, 32, 64, 128, 256]},
                "optimizer": {"kind": "choice", "value": ["adam", "lion", "momentum", "rmsprop", "sgd"]},
                "activation": {"kind": "choice", "value": ["gelu", "relu", "tanh"]},
            }),
        }
    }

    pub(crate) fn value(self, configuration: &Configuration) -> f64 {
        let number = |name: &str| configuration[name].as_f64().unwrap();
        match self {
            Problem::Branin => branin(number("x1"), number("x2")),
            Problem::Hartmann6 => hartmann6(&std::array::from_fn(|at| number(&format!("x{at}")))),
            Problem::Mixed => mixed(configuration),
        }
    }
}

fn branin(x: f64, y: f64) -> f64 {
    let (b, t) = (5.1 / (4.0 * PI * PI), 1.0 / (8.0 * PI));
    (y - b * x * x + 5.0 / PI * x - 6.0).powi(2) + 10.0 * (1.0 - t) * x.cos() + 10.0
}

fn hartmann6(x: &[f64; 6]) -> f64 {
    const ALPHA: [f64; 4] = [1.0, 1.2, 3.0, 3.2];
    const A: [[f64; 6]; 4] = [
        [10.0, 3.0, 17.0, 3.5, 1.7, 8.0],
        [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
        [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
        [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
    ];
    const P: [[f64; 6]; 4] = [
        [1312.0, 1696.0, 5569.0, 124.0, 8283.0, 5886.0],
        [2329.0, 4135.0, 8307.0, 3736.0, 1004.0, 9991.0],
        [2348.0, 1451.0, 3522.0, 2883.0, 3047.0, 6650.0],
        [4047.0, 8828.0, 8732.0, 5743.0, 1091.0, 381.0],
    ];
    let term = |i: usize| {
        let distance: f64 = (0..6).map(|j| A[i][j] * (x[j] - P[i][j] * 1e-4).powi(2)).sum();
        ALPHA[i] * (-distance).exp()
    };
    -(0..4).map(term).sum::<f64>()
}

fn mixed(configuration: &Configuration) -> f64 {
    let number = |name: &str| configuration[name].as_f64().unwrap();
    let (best_rate, optimizer) = match configuration["optimizer"].as_str().unwrap() {
        "sgd" => (-1.6, 0.35),
        "momentum" => (-1.9, 0.15),
        "adam" => (-3.1, 0.0),
        "rmsprop" => (-3.4, 0.08),
        _ => (-4.1, 0.2),
    };
    let (best_layers, activation) = match configuration["activation"].as_str().unwrap() {
        "relu" => (5.0, 0.12),
        "gelu" => (6.0, 0.0),
        _ => (3.0, 0.3),
    };
    let (rate, layers, batch) = (number("log10_lr"), number("layers"), number("batch").log2() - 6.0);
    optimizer
        + activation
        + 0.55 * (rate - best_rate).powi(2)
        + 0.04 * (layers - best_layers).powi(2)
        + 2.5 * (number("dropout") - (0.05 + 0.03 * layers)).powi(2)
        + 0.05 * batch.abs()
        + 0.06 * batch.max(0.0) * (rate - best_rate).abs()
}
