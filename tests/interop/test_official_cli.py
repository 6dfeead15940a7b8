"""The official command line against our server: the same runs, seen by the other program."""

import json
import subprocess
import textwrap

import pytest
from support import ROOT


@pytest.fixture(scope="module")
def finished(each_home):
    run = each_home.shell("echo one; echo two >&2", "--name", "two-lines", "--tags", "a,b")
    return each_home.wait(run)


def test_it_lists_runs(each_home, finished):
    result = each_home.official_cli("ops", "ls", "-p", finished["project"], "-o", "json")
    rows = json.loads(result.stdout)
    rows = rows["results"] if isinstance(rows, dict) else rows
    assert finished["uuid"] in [row["uuid"] for row in rows]


def test_it_shows_one_run(each_home, finished):
    result = each_home.official_cli("ops", "get", "-p", finished["project"], "-uid", finished["uuid"], "-o", "json")
    shown = json.loads(result.stdout)
    assert (shown["name"], shown["status"]) == ("two-lines", "succeeded")


def test_it_shows_statuses_and_logs(each_home, finished):
    where = ["-p", finished["project"], "-uid", finished["uuid"]]
    assert "succeeded" in each_home.official_cli("ops", "statuses", *where).stdout
    logs = each_home.official_cli("ops", "logs", *where).stdout
    assert "one" in logs
    assert "two" in logs


def test_it_submits_a_run_that_our_server_runs(each_home, finished):
    result = each_home.official_cli(
        "run", "-p", finished["project"], "-f", ROOT / "hub/quick-start/latest.yaml", "-P", "epochs=3", "-o", "json"
    )
    run = each_home.wait({"uuid": json.loads(result.stdout)["uuid"], "project": finished["project"]})
    assert run["status"] == "succeeded", each_home.logs(run)


def test_it_stops_and_deletes_a_run(each_home, finished):
    run = each_home.shell("sleep 100")
    each_home.wait(run, status="running")
    where = ["-p", run["project"], "-uid", run["uuid"], "-y"]
    each_home.official_cli("ops", "stop", *where)
    assert each_home.wait(run)["status"] == "stopped"
    each_home.official_cli("ops", "delete", *where)
    uuids = [row["uuid"] for row in each_home.get(f"/api/v1/default/{run['project']}/runs")["results"]]
    assert run["uuid"] not in uuids


def test_it_restarts_a_run(each_home, finished):
    each_home.official_cli(
        "ops", "restart", "-p", finished["project"], "-uid", finished["uuid"], "--name", "again"
    )
    rows = each_home.get(f"/api/v1/default/{finished['project']}/runs?query=name:again")["results"]
    assert [row["original"]["kind"] for row in rows] == ["restart"]
    assert each_home.wait({**rows[0], "project": finished["project"]})["status"] == "succeeded"


def test_a_script_started_by_hand_tracks_to_our_server(each_home, finished):
    """Without `polyaxon run`: the tracking client creates its own run and ends it."""
    script = """
        from polyaxon import tracking
        tracking.init(owner="default", project="by-hand", name="by-hand", is_new=True, track_code=False)
        tracking.log_inputs(rate=0.5)
        for step in range(5):
            tracking.log_metric("loss", 1 / (step + 1), step=step)
        tracking.log_outputs(loss=0.2)
    """
    each_home.polyaxon("project", "create", "--name", "by-hand")
    result = subprocess.run(
        ["python", "-c", textwrap.dedent(script)],
        env=each_home.environment(
            POLYAXON_HOST=each_home.url(),
            POLYAXON_HOME=str(each_home.work),
            POLYAXON_ARTIFACTS_ROOT=str(each_home.work / "artifacts"),
            POLYAXON_ARCHIVES_ROOT=str(each_home.work / "archives"),
        ),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    rows = each_home.get("/api/v1/default/by-hand/runs")["results"]
    assert [(row["name"], row["status"]) for row in rows] == [("by-hand", "succeeded")]
    client = each_home.official("by-hand", rows[0]["uuid"])
    data = client.get_multi_run_events(kind="metric", runs=[rows[0]["uuid"]], names=["loss"], orient="dict").data
    assert data[rows[0]["uuid"]][0]["data"]["step"] == [0, 1, 2, 3, 4]
