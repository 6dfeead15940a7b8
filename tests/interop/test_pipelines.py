"""The examples of pipelines and searches, run as their README says, also while the server dies again and again."""

import collections
import json
import os
import pathlib
import re
import shutil

import pytest
from support import ROOT, wait_until

PIPELINE = ROOT / "examples" / "pipeline"
TUNING = ROOT / "examples" / "tuning"
STEPS = ["prepare", "baseline", "train", "pick", "evaluate", "report"]


def below(home, run):
    """The runs of a pipeline, those of its matrices included."""
    query = "created_at:_any_"
    rows = home.get(f"/api/v1/default/{run['project']}/runs?limit=200&query={query}")["results"]
    children = collections.defaultdict(list)
    for row in rows:
        children[(row.get("pipeline") or {}).get("uuid")].append(row)
    found, waiting = [], [run["uuid"]]
    while waiting:
        here = children[waiting.pop()]
        found += here
        waiting += [row["uuid"] for row in here]
    return found


def check_pipeline(home, run):
    """Every step is there once and ended well, and the outputs are what the steps say."""
    assert home.run(run)["status"] == "succeeded"
    runs = below(home, run)
    direct = [row for row in runs if row["pipeline"]["uuid"] == run["uuid"]]
    assert sorted(row["name"] for row in direct) == sorted(STEPS)
    assert {row["status"] for row in runs} == {"succeeded"}
    steps = {row["name"]: home.run({**row, "project": run["project"]}) for row in direct}
    trials = [row for row in runs if row["pipeline"]["uuid"] == steps["train"]["uuid"]]
    assert len(trials) == 3
    best = max(home.run({**row, "project": run["project"]})["outputs"]["accuracy"] for row in trials)
    assert steps["pick"]["outputs"]["accuracy"] == pytest.approx(best)
    assert steps["pick"]["outputs"]["candidates"] == 3
    gain = steps["evaluate"]["outputs"]["accuracy"] - steps["baseline"]["outputs"]["accuracy"]
    assert steps["report"]["outputs"]["gain"] == pytest.approx(gain)
    report = home.state / "artifacts" / steps["report"]["uuid"] / "outputs" / "report.md"
    assert "accuracy on unseen digits" in report.read_text()
    return runs


def test_the_pipeline_is_watched_to_its_end(home):
    result = home.polyaxon("run", "-f", "pipeline.yaml", "-w", "--name", "digits", cwd=PIPELINE, timeout=300)
    for step in STEPS:
        assert re.search(rf" {step}  \S+ succeeded", result.stderr), result.stderr
    run = json.loads(home.polyaxon("ops", "get", "-uid", "digits", "-o", "json").stdout)
    check_pipeline(home, {"project": "default", **run})


def test_the_pipeline_ends_right_although_the_server_is_killed_five_times(home, tmp_path):
    # Every start of a step is noted by a `python` that comes first in PATH.
    python, notes = tmp_path / "bin" / "python", tmp_path / "starts"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\necho "$POLYAXON_RUN_INSTANCE" >> {notes}\nexec {shutil.which("python")} "$@"\n')
    python.chmod(0o755)
    path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    result = home.polyaxon("run", "-f", "pipeline.yaml", "-o", "json", cwd=PIPELINE, PATH=path)
    run = {"project": "default", **json.loads(result.stdout)}
    for step in ["prepare", "train", "pick", "evaluate", "report"]:
        begun = {"running", "succeeded"}
        is_there = lambda: any(row["name"] == step and row["status"] in begun for row in below(home, run))  # noqa: E731
        wait_until(is_there, 120, f"the beginning of {step}")
        home.kill_server()
        home.polyaxon("server", "start", PATH=path)
    home.wait(run, 180)
    runs = check_pipeline(home, run)
    starts = collections.Counter(line.rsplit(".", 1)[-1] for line in notes.read_text().split())
    for row in (row for row in runs if row["kind"] == "job"):
        conditions = home.conditions({**row, "project": run["project"]})
        attempts = {(condition.get("meta_info") or {}).get("attempt") for condition in conditions} - {None}
        assert starts[row["uuid"]] == len(attempts), f"{row['name']} was started {starts[row['uuid']]} times"


@pytest.mark.parametrize("kind, trials", [("bayes", 12), ("hyperband", 22)])
def test_the_searches_find_a_good_model(home, kind, trials):
    result = home.polyaxon("run", "-f", f"{kind}.yaml", "-w", "--name", kind, cwd=TUNING, timeout=400)
    assert " search  " in result.stderr
    run = {"project": "default", **json.loads(home.polyaxon("ops", "get", "-uid", kind, "-o", "json").stdout)}
    search = next(row for row in below(home, run) if row["name"] == "search")
    found = [row for row in below(home, run) if row["pipeline"]["uuid"] == search["uuid"] and row["kind"] == "job"]
    assert len(found) == trials
    losses = [home.run({**row, "project": "default"})["outputs"]["loss"] for row in found]
    assert min(losses) < 0.5


def test_the_readme_names_every_file():
    for folder in [PIPELINE, TUNING]:
        text = (folder / "README.md").read_text()
        for file in pathlib.Path(folder).iterdir():
            assert file.name in text or file.name in {"README.md", "__pycache__"}, file
