"""Searches with real processes: trials that are pruned while they run, and a tuner that is a program of the user."""

import json
import sys

from test_pipelines import below

TRIAL = """
d="{{ globals.run_artifacts_path }}/events/metric"; mkdir -p "$d"
printf 'step|timestamp|metric' > "$d/acc.plx"
for s in 1 2 3 4 5 6 7 8; do
  printf "\\n$s|2026-01-01 00:00:00+00:00|$(({{ r }} * 10 + s))" >> "$d/acc.plx"
  sleep 1.2
done
"""


def job(script, inputs):
    container = {"command": ["sh", "-ec", script]}
    return {"kind": "component", "version": 1.1, "inputs": inputs, "run": {"kind": "job", "container": container}}


def submit(home, tmp_path, operation):
    file = tmp_path / "operation.json"
    file.write_text(json.dumps(operation))
    run = json.loads(home.polyaxon("run", "-f", str(file), "-o", "json").stdout)
    return {"project": "default", **run}


def test_trials_that_do_worse_are_pruned_while_they_run(home, tmp_path):
    policy = {"kind": "median", "evaluationInterval": 1, "minInterval": 2, "minSamples": 2}
    rule = {"kind": "metric_early_stopping", "metric": "acc", "value": 1000, "optimization": "maximize"}
    values = [{"r": number} for number in range(1, 5)]
    matrix = {"kind": "mapping", "concurrency": 4, "values": values, "earlyStopping": [{**rule, "policy": policy}]}
    component = job(TRIAL, [{"name": "r", "type": "int"}])
    operation = {"kind": "operation", "version": 1.1, "matrix": matrix, "component": component}
    run = submit(home, tmp_path, operation)
    home.wait(run)
    trials = {row["inputs"]["r"]: row for row in below(home, run)}
    assert {number: row["status"] for number, row in trials.items()} == {
        1: "stopped",
        2: "stopped",
        3: "succeeded",
        4: "succeeded",
    }
    assert trials[1]["meta_info"]["pruned"]["policy"] == "median"
    assert home.conditions({**trials[1], "project": "default"})[-1]["reason"] == "EarlyStopping"
    assert home.polyaxon("ops", "ls").stdout.count("pruned") == 2


def test_a_program_of_the_user_makes_the_suggestions(home, tmp_path):
    script = tmp_path / "tuner.py"
    script.write_text(
        "import json, sys\n"
        "from polyaxon import tracking\n"
        "matrix, iteration = json.loads(sys.argv[1]), int(sys.argv[2])\n"
        "tracking.init()\n"
        "low = matrix['params']['x']['value']['low']\n"
        "tracking.log_outputs(suggestions=[{'x': low + iteration}, {'x': low + iteration + 0.5}])\n"
        "tracking.end()\n"
    )
    inputs = [
        {"name": "matrix", "type": "dict"},
        {"name": "iteration", "type": "int"},
        {"name": "bracket_iteration", "type": "int", "isOptional": True},
        {"name": "configs", "type": "list", "isOptional": True},
        {"name": "metrics", "type": "list", "isOptional": True},
    ]
    tuner = job(f"exec {sys.executable} {script} '{{{{ matrix | tojson }}}}' {{{{ iteration }}}}", inputs)
    file = tmp_path / "component.json"
    file.write_text(json.dumps(tuner))
    home.polyaxon("project", "create", "--name", "mine")
    home.polyaxon("components", "register", "-f", str(file), "--project", "mine", "--version", "v1")
    params = {"x": {"kind": "uniform", "value": {"low": 0, "high": 9}}}
    metric = {"name": "loss", "optimization": "minimize"}
    matrix = {"kind": "tpe", "numRuns": 2, "maxIterations": 2, "metric": metric, "params": params}
    trial = job("exit 0", [{"name": "x", "type": "float"}])
    operation = {
        "kind": "operation",
        "version": 1.1,
        "matrix": {**matrix, "tuner": {"hubRef": "mine:v1"}},
        "component": trial,
    }
    run = submit(home, tmp_path, operation)
    home.wait(run, seconds=120)
    rows = below(home, run)
    assert home.run(run)["status"] == "succeeded", home.conditions(run)
    tried = sorted(row["inputs"]["x"] for row in rows if row["runtime"] != "tuner")
    assert tried == [0, 0.5, 1, 1.5]
