"""Jobs that behave badly end with the right status and with all of their output."""

import concurrent.futures
import json
import signal
import time

import pytest


def reason(home, run):
    return json.dumps(home.conditions(run)[-1])


@pytest.mark.parametrize(
    ("script", "status", "expected"),
    [
        ("exit 3", "failed", "3"),
        ("kill -9 $$", "failed", "9"),
        ("kill -TERM $$", "failed", "15"),
        ("no-such-program", "failed", "127"),
    ],
)
def test_the_verdict_names_the_exit(home, script, status, expected):
    run = home.shell(script)
    assert home.wait(run)["status"] == status
    assert expected in reason(home, run)


def test_a_program_that_does_not_exist(home):
    file = home.work / "missing.yaml"
    file.write_text("kind: component\nrun: {kind: job, container: {image: none, command: [./no-such-script.sh]}}\n")
    run = home.submit("-f", file)
    assert home.wait(run)["status"] == "failed"
    assert "no-such-script.sh" in reason(home, run)


def test_a_working_folder_that_does_not_exist(home):
    file = home.work / "missing.yaml"
    file.write_text(
        "kind: component\nrun: {kind: job, container: {image: none, workingDir: /no/such/folder, command: [ls]}}\n"
    )
    run = home.submit("-f", file)
    assert home.wait(run)["status"] == "failed"
    assert "/no/such/folder" in reason(home, run)


def test_a_job_that_ignores_sigterm_is_killed(home):
    run = home.shell("trap '' TERM; echo ready; while true; do sleep 0.1; done")
    home.wait(run, status="running")
    home.polyaxon("ops", "stop", "-uid", run["uuid"], "-p", run["project"], "-y")
    assert home.wait(run, seconds=60)["status"] == "stopped"


def test_children_of_a_job_end_with_it(home):
    marker = home.work / "alive"
    run = home.shell(f"(while true; do date > '{marker}'; sleep 0.1; done) & wait")
    home.wait(run, status="running")
    home.polyaxon("ops", "stop", "-uid", run["uuid"], "-p", run["project"], "-y")
    assert home.wait(run, seconds=60)["status"] == "stopped"
    marker.unlink(missing_ok=True)
    time.sleep(0.5)
    assert not marker.exists()


def test_a_hundred_megabytes_of_output_are_kept(home):
    run = home.shell("head -c 100000000 /dev/zero | tr '\\0' x; echo; echo end")
    assert home.wait(run, seconds=120)["status"] == "succeeded"
    folder = home.state / "artifacts" / run["uuid"] / "plxlogs"
    assert sum(file.stat().st_size for file in folder.glob("*.stdout")) == 100_000_005
    assert home.polyaxon("ops", "logs", "-uid", run["uuid"], "-p", run["project"], "--hide-time").stdout.endswith("end\n")


def test_bytes_that_are_no_text_are_kept(home):
    run = home.shell("printf 'before\\377\\376after\\n'; printf 'no newline at the end'")
    assert home.wait(run)["status"] == "succeeded"
    folder = home.state / "artifacts" / run["uuid"] / "plxlogs"
    assert b"before\xff\xfeafter\nno newline at the end" == b"".join(file.read_bytes() for file in folder.glob("*.stdout"))
    assert home.logs(run) == ["before\ufffd\ufffdafter", "no newline at the end"]


def test_both_streams_keep_their_order_in_themselves(home):
    run = home.shell("for i in 1 2 3 4 5; do echo out $i; echo err $i >&2; done")
    assert home.wait(run)["status"] == "succeeded"
    lines = home.logs(run)
    assert [line for line in lines if line.startswith("out")] == [f"out {i}" for i in range(1, 6)]
    assert [line for line in lines if line.startswith("err")] == [f"err {i}" for i in range(1, 6)]


def test_a_timeout_stops_the_job(home):
    file = home.work / "slow.yaml"
    file.write_text(
        "kind: component\ntermination: {timeout: 1}\n"
        "run: {kind: job, container: {image: none, command: [sleep, '100']}}\n"
    )
    run = home.submit("-f", file)
    assert home.wait(run)["status"] in {"failed", "stopped"}
    assert "1" in reason(home, run)


def test_retries_run_the_job_again(home):
    count = home.work / "count"
    file = home.work / "retry.yaml"
    file.write_text(
        "kind: component\ntermination: {maxRetries: 3}\n"
        f"run: {{kind: job, container: {{image: none, command: [sh, -c, 'echo x >> {count}; [ $(wc -l < {count}) = 3 ]']}}}}\n"
    )
    run = home.submit("-f", file)
    assert home.wait(run, seconds=120)["status"] == "succeeded"
    assert count.read_text() == "x\n" * 3
    assert "retrying" in [condition["type"] for condition in home.conditions(run)]


def test_a_run_is_stopped_restarted_and_deleted(home):
    run = home.shell("echo $$; sleep 100")
    home.wait(run, status="running")
    where = ["-uid", run["uuid"], "-p", run["project"]]
    home.polyaxon("ops", "stop", *where, "-y")
    assert home.wait(run)["status"] == "stopped"
    home.polyaxon("ops", "restart", *where, "--name", "again")
    again = [row for row in home.get(f"/api/v1/default/{run['project']}/runs")["results"] if row["name"] == "again"]
    assert len(again) == 1
    again = {**again[0], "project": run["project"]}
    home.wait(again, status="running")
    home.polyaxon("ops", "stop", "-uid", again["uuid"], "-p", run["project"], "-y")
    home.wait(again)
    home.polyaxon("ops", "delete", *where, "-y")
    rows = home.get(f"/api/v1/default/{run['project']}/runs")["results"]
    assert [row["uuid"] for row in rows] == [again["uuid"]]


def test_the_exit_code_of_run_is_the_outcome(home):
    home.polyaxon("run", "--image", "none", "--cmd", "true", "-w")
    home.polyaxon("run", "--image", "none", "--cmd", "false", "-w", code=10)


def test_ctrl_c_detaches_and_the_job_goes_on(home):
    process = home.start("run", "--image", "none", "--cmd", "echo ready; sleep 2; echo done", "-l")
    assert next(line for line in process.stdout if "ready" in line)
    process.send_signal(signal.SIGINT)
    _, shown = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "ops logs" in shown
    assert "ops stop" in shown
    run = json.loads(home.polyaxon("ops", "get", "-uid", "@last", "-o", "json").stdout)
    assert home.wait(run)["status"] == "succeeded"
    assert home.logs(run)[-1] == "done"


def test_following_a_run_that_ends_at_once_ends_too(home):
    """Its end may fall between any two steps of the follower."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        commands = [["run", "--image", "none", "--cmd", f"echo {index}", "-l"] for index in range(100)]
        results = list(pool.map(lambda command: home.polyaxon(*command, timeout=20), commands))
    for index, result in enumerate(results):
        assert f"{index}\n" in result.stdout
