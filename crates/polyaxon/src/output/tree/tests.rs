//! How trees of runs are drawn, folded and cut to their room.

use serde_json::json;
use snapbox::{assert_data_eq, str};

use super::*;
use crate::args::global::Color;

/// A dag of a matrix between two jobs.
fn forest(trials: u64) -> Forest {
    let id = |number: u64| format!("{number:032x}");
    let mut rows = vec![
        json!({"uuid": id(1), "number": 1, "name": "pipeline", "kind": "dag", "status": "running",
               "created_at": "2026-01-01T00:00:00Z", "started_at": "2026-01-01T00:00:00Z"}),
        json!({"uuid": id(2), "number": 2, "parent": id(1), "name": "prepare", "kind": "job", "status": "succeeded",
               "created_at": "2026-01-01T00:00:00Z", "started_at": "2026-01-01T00:00:00Z",
               "finished_at": "2026-01-01T00:00:02.5Z", "reuses": "12345678000000000000000000000000"}),
        json!({"uuid": id(3), "number": 3, "parent": id(1), "name": "train", "kind": "matrix", "status": "running",
               "created_at": "2026-01-01T00:00:00Z", "started_at": "2026-01-01T00:00:03Z",
               "metric": {"name": "loss", "optimization": "minimize"}}),
        json!({"uuid": id(4), "number": 4, "parent": id(1), "name": "report", "kind": "job", "status": "created",
               "created_at": "2026-01-01T00:00:00Z", "pending": "approval"}),
        json!({"uuid": id(5), "number": 5, "parent": id(1), "name": "monitor", "kind": "job", "status": "created",
               "created_at": "2026-01-01T00:00:00Z", "awaits": "run_status_failed of train"}),
    ];
    for number in 10..10 + trials {
        let (status, value) = match number {
            10 => ("succeeded", Some(0.25)),
            11 => ("succeeded", Some(0.125)),
            12 => ("failed", None),
            13 => ("running", None),
            _ => ("queued", None),
        };
        rows.push(json!({"uuid": id(number), "number": number, "parent": id(3), "name": format!("trial-{number}"),
            "kind": "job", "status": status, "value": value, "created_at": "2026-01-01T00:00:00Z",
            "started_at": (number < 14).then_some("2026-01-01T00:00:04Z"),
            "reason": (number == 12).then_some("Error"), "message": (number == 12).then_some("exit code 1\nlast words"),
            "params": {"lr": number as f64 / 100.0}}));
    }
    let mut forest = Forest::new(id(1).parse().unwrap());
    // Children come before their parents when those changed later.
    for row in rows.into_iter().rev() {
        forest.put(serde_json::from_value(row).unwrap());
    }
    forest
}

fn drawn(forest: &Forest, width: usize, height: usize, unicode: bool) -> String {
    let style = Style::detect(Color::Never, false);
    let now = "2026-01-01T00:01:05Z".parse::<jiff::Timestamp>().unwrap().into();
    let lines = draw(forest, Size { width, height }, &Look { style: &style, unicode }, now);
    assert!(lines.len() <= height.max(1));
    for (line, columns) in &lines {
        assert!(*columns <= width.max(NARROWEST) && super::columns(line) <= *columns, "{line}");
    }
    let lines: Vec<&str> = lines.iter().map(|(line, _)| line.trim_end()).collect();
    lines.join("\n") + "\n"
}

#[test]
fn a_pipeline_is_a_tree() {
    assert_data_eq!(
        drawn(&forest(4), 110, 40, true),
        str![[r#"
pipeline        ● running            1m 5s  1/4 done · 1 running, 2 created
├─ prepare      ✔ succeeded           2.5s  result of 12345678
├─ train        ● running            1m 2s  3/4 done · best loss 0.125 by trial-11 (lr=0.11) · 1 running, 1 f~
│  ├─ trial-10  ✔ succeeded          1m 1s  loss 0.25 (lr=0.1)
│  ├─ trial-11  ✔ succeeded          1m 1s  loss 0.125 (lr=0.11)
│  ├─ trial-12  ✖ failed             1m 1s  (lr=0.12)  Error: exit code 1 last words
│  └─ trial-13  ● running            1m 1s  (lr=0.13)
├─ report       ○ created                   waits for approval
└─ monitor      ○ created                   waits for run_status_failed of train

"#]]
    );
}

#[test]
fn ten_thousand_trials_are_folded_around_the_best_and_the_active_ones() {
    let forest = forest(10_000);
    assert_data_eq!(
        drawn(&forest, 110, 12, true),
        str![[r#"
pipeline           ● running            1m 5s  1/4 done · 1 running, 2 created
├─ prepare         ✔ succeeded           2.5s  result of 12345678
├─ train           ● running            1m 2s  3/10000 done · best loss 0.125 by trial-11 (lr=0.11) · 1 runni~
│  ├─ trial-11     ✔ succeeded          1m 1s  loss 0.125 (lr=0.11)
│  ├─ trial-12     ✖ failed             1m 1s  (lr=0.12)  Error: exit code 1 last words
│  ├─ trial-13     ● running            1m 1s  (lr=0.13)
│  └─ … 9997 more  9996 queued, 1 succeeded
├─ report          ○ created                   waits for approval
└─ monitor         ○ created                   waits for run_status_failed of train

"#]]
    );
    assert_data_eq!(
        drawn(&forest, 60, 6, false),
        str![[r#"
pipeline             * running            1m 5s  1/4 done, ~
|- train             * running            1m 2s  3/10000 do~
|  |- trial-11       + succeeded          1m 1s  loss 0.125~
|  `- ... 9999 more  1 running, 1 failed, 9996 queued, 1 su~
`- ... 3 more        1 succeeded, 2 created

"#]]
    );
}

#[test]
fn no_drawing_is_larger_than_its_room() {
    let forest = forest(40);
    for height in 0..30 {
        for width in [0, 5, 33, 200] {
            drawn(&forest, width, height, true);
        }
    }
}

#[test]
fn numbers_are_short() {
    for (value, expected) in
        [(0.0, "0"), (0.125, "0.125"), (0.1 + 0.2, "0.3"), (3.0, "3"), (1e-7, "1.000e-7"), (-2.5e9, "-2.500e9")]
    {
        assert_eq!(number(value), expected);
    }
}
