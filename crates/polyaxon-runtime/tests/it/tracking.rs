//! What comes along with runs: code, inputs of init steps, tracked metrics, artifacts of other runs.

use polyaxon_model::kinds::ArtifactKind;
use polyaxon_model::new_run::{CodeReference, Submission};
use polyaxon_model::status::Status;
use serde_json::json;

use crate::bench::{Bench, block_on, script};

#[test]
fn the_submitters_world_reaches_the_job_and_its_lineage() {
    block_on(async {
        let mut bench = Bench::new(4).await;
        let cwd = bench.home.path().canonicalize().unwrap();
        let submission = Submission {
            cwd: Some(cwd.display().to_string()),
            env: json!({"PATH": "/usr/bin:/bin", "MINE": "yes"}).as_object().cloned().unwrap(),
            code: Some(CodeReference {
                commit: Some("abc123".to_owned()),
                is_dirty: true,
                diff: Some("--- a\n+++ b\n".to_owned()),
                ..CodeReference::default()
            }),
        };
        let text = "pwd; echo $MINE; echo $POLYAXON_IS_MANAGED; ls -d $POLYAXON_CONTEXT_ROOT/artifacts/*/outputs";
        let run = bench.submit_with(&script(text), |record| record.submission = Some(submission)).await;
        bench.until_status(run, Status::Succeeded).await;
        let outputs = bench.layout.scratch(run).join("artifacts").join(run.to_hex()).join("outputs");
        assert_eq!(bench.lines(run), [&cwd.display().to_string(), "yes", "true", &outputs.display().to_string()]);
        let diff = std::fs::read_to_string(bench.layout.code(run).join("uncommitted.diff")).unwrap();
        assert_eq!(diff, "--- a\n+++ b\n");
        assert_eq!(bench.artifact(run, "abc123").await, Some((ArtifactKind::Coderef, Some(true))));
    });
}

#[test]
fn tracked_metrics_become_lineage_and_outputs() {
    block_on(async {
        let mut bench = Bench::new(4).await;
        let text = "d=$POLYAXON_CONTEXT_ROOT/artifacts/*/; cd $d; mkdir -p events/metric; \
                    printf 'step|timestamp|metric\\n1|2026-01-02 03:04:05+00:00|0.5' > events/metric/loss.plx";
        let mut operation = script(text);
        operation["component"]["run"]["init"] =
            json!([{"file": {"content": "x", "filename": "a.txt"}, "path": "/plx-context/files"}]);
        let run = bench.submit(&operation).await;
        let record = bench.until_status(run, Status::Succeeded).await;
        assert_eq!(record.outputs.unwrap()["loss"], 0.5);
        assert_eq!(bench.artifact(run, "a.txt").await, Some((ArtifactKind::File, Some(true))));
        assert_eq!(bench.artifact(run, "loss").await, Some((ArtifactKind::Metric, Some(false))));
    });
}

#[test]
fn a_run_takes_values_and_artifacts_of_another() {
    block_on(async {
        let mut bench = Bench::new(4).await;
        let text = "cd $POLYAXON_CONTEXT_ROOT/artifacts/*/; echo weights > outputs/model; mkdir -p events/metric; \
                    printf 'step|timestamp|metric\\n1|2026-01-02 03:04:05+00:00|0.5' > events/metric/loss.plx";
        let first = bench.submit(&script(text)).await;
        bench.until_status(first, Status::Succeeded).await;
        let mut second = script("echo {{ loss }}; cat $POLYAXON_CONTEXT_ROOT/artifacts/*/outputs/model");
        second["component"]["inputs"] = json!([{"name": "loss", "type": "float"}]);
        second["params"] = json!({"loss": {"ref": format!("runs.{first}"), "value": "outputs.loss"}});
        let run = bench
            .submit_with(&second, |record| {
                record.meta_info.insert("copy_artifacts".to_owned(), json!({"dirs": [first]}));
            })
            .await;
        bench.until_status(run, Status::Succeeded).await;
        assert_eq!(bench.lines(run), ["0.5", "weights"]);
        second["params"]["loss"]["value"] = json!("outputs.accuracy");
        let run = bench.submit(&second).await;
        bench.until_status(run, Status::Failed).await;
        assert!(bench.history(run).await.1.contains("which has no such value"));
    });
}
