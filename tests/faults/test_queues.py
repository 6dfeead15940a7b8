"""Queues and the machine's devices, through the built program."""

import json
import time
import urllib.request

from support import wait_until

GPUS = """
kind: operation
queue: {queue}
component:
  run:
    kind: job
    container:
      image: none
      command: [/bin/sh, -c]
      args: ['echo "devices=$CUDA_VISIBLE_DEVICES"; while [ ! -e {gate} ]; do sleep 0.05; done']
      resources: {{limits: {{nvidia.com/gpu: {count}}}}}
"""


def asking(home, count, name, queue="default"):
    file = home.work / f"{name}.yaml"
    file.write_text(GPUS.format(count=count, gate=home.work / f"end-{name}", queue=queue))
    return home.submit("-f", file)


def let_end(home, name):
    (home.work / f"end-{name}").touch()


def devices(home, run):
    folder = home.state / "artifacts" / run["uuid"] / "plxlogs"
    lines = "".join(file.read_text() for file in folder.glob("*.stdout")).splitlines()
    return [line for line in lines if line.startswith("devices=")]


def capacity(home):
    return home.get("/api/v1/orgs/default/capacity")["results"][0]


def test_three_runs_share_two_gpus_and_a_killed_server_forgets_nothing(home):
    home.polyaxon("server", "start", POLYAXON_LOCAL_GPUS="2", CUDA_VISIBLE_DEVICES="4,5,6")
    one = asking(home, 1, "one")
    wait_until(lambda: devices(home, one), what="the first run")
    assert devices(home, one) == ["devices=4"]
    both = asking(home, 2, "both")
    last = asking(home, 1, "last")
    home.wait(both, status="queued")
    home.wait(last, status="queued")
    status = json.loads(home.polyaxon("server", "status", "-o", "json").stdout)
    assert status["capacity"]["gpus"] == ["4", "5"]
    assert status["load"]["gpus"] == ["4"] and status["load"]["held"] == 1

    home.kill_server()
    home.polyaxon("server", "start", POLYAXON_LOCAL_GPUS="2", CUDA_VISIBLE_DEVICES="4,5,6")
    assert capacity(home)["load"]["gpus"] == ["4"]
    assert home.run(both)["status"] == "queued"
    let_end(home, "one")
    assert home.wait(one)["status"] == "succeeded"
    wait_until(lambda: devices(home, both), what="the second run")
    assert devices(home, both) == ["devices=4,5"]
    assert home.run(last)["status"] == "queued"
    let_end(home, "both")
    wait_until(lambda: devices(home, last), what="the third run")
    assert devices(home, last) == ["devices=4"]
    let_end(home, "last")
    assert home.wait(last)["status"] == "succeeded"
    assert capacity(home)["load"]["gpus"] == []


def test_what_the_machine_does_not_have_is_said(home):
    home.polyaxon("server", "start", POLYAXON_LOCAL_GPUS="1")
    run = asking(home, 3, "large")
    assert home.wait(run, status="unschedulable")["status"] == "unschedulable"
    message = home.conditions(run)[-1]["message"]
    assert "asks for 3 GPUs" in message and "this machine has 1 GPU" in message and "POLYAXON_LOCAL_GPUS" in message
    home.polyaxon("server", "stop")
    home.polyaxon("server", "start", "--gpus", "3")
    let_end(home, "large")
    assert home.wait(run)["status"] == "succeeded"
    assert devices(home, run) == ["devices=0,1,2"]
    wrong = home.polyaxon("server", "--gpus", "many", "--home", home.work / "other", code=None)
    assert wrong.returncode != 0 and "--gpus is `many`, expected a whole number" in wrong.stderr


def test_queues_by_the_command_line(home):
    home.polyaxon("queues", "create", "slow", "--concurrency", "0", "--description", "paused")
    listed = json.loads(home.polyaxon("queues", "ls", "-o", "json").stdout)
    assert [queue["name"] for queue in listed["results"]] == ["default", "slow"]
    assert "unlimited" in home.polyaxon("queues", "ls").stdout
    run = asking(home, 0, "run", queue="local/slow")
    home.wait(run, status="queued")
    shown = json.loads(home.polyaxon("queues", "get", "slow", "-o", "json").stdout)
    assert shown["stats"]["queued"] == 1 and shown["concurrency"] == 0
    refused = home.polyaxon("queues", "delete", "slow", "--yes", code=None)
    assert refused.returncode != 0 and "1 run waits in queue `slow`" in refused.stderr
    home.polyaxon("queues", "update", "slow", "--concurrency", "-1", "--priority", "3")
    let_end(home, "run")
    assert home.wait(run)["status"] == "succeeded"
    assert home.run(run)["settings"]["queue"]["name"] == "slow"
    unknown = asking(home, 0, "unknown", queue="slwo")
    assert home.wait(unknown)["status"] == "failed"
    assert "agent `local` has no queue `slwo`" in home.conditions(unknown)[-1]["message"]
    home.polyaxon("queues", "delete", "slow", "--yes")
    missing = home.polyaxon("queues", "get", "slow", code=None)
    assert missing.returncode != 0 and "agent `local` has no queue `slow`" in missing.stderr
    wrong = home.polyaxon("queues", "create", "q", "--quota", "5", code=None)
    assert "A quota needs a `resource`" in wrong.stderr


def test_a_run_by_hand_starts_at_once_while_a_sweep_fills_the_queue(home):
    home.polyaxon("server", "start", "--capacity", "4")
    sweep = home.work / "sweep.yaml"
    values = json.dumps(list(range(10_000)))
    sweep.write_text(
        "kind: operation\n"
        f"matrix: {{kind: grid, params: {{x: {{kind: choice, value: {values}}}}}}}\n"
        "component:\n  inputs: [{name: x, type: int}]\n"
        "  run: {kind: job, container: {image: none, command: [sleep, '30']}}\n"
    )
    pipeline = home.submit("-f", sweep)
    wait_until(lambda: capacity(home)["load"]["held"] >= 4, what="the sweep")
    content = json.dumps({
        "version": 1.1,
        "kind": "operation",
        "component": {"run": {"kind": "job", "container": {"image": "none", "command": ["true"]}}},
    })
    delays = []
    for _ in range(5):
        body = json.dumps({"content": content, "is_managed": True}).encode()
        path = f"{home.url()}/api/v1/default/{pipeline['project']}/runs"
        request = urllib.request.Request(path, body, {"Content-Type": "application/json"})
        begin = time.monotonic()
        with urllib.request.urlopen(request) as response:
            run = {**json.load(response), "project": pipeline["project"]}
        wait_until(lambda run=run: home.run(run)["started_at"], what="the start")
        delays.append(time.monotonic() - begin)
        assert home.wait(run)["status"] == "succeeded"
    print("from the request to the start:", [f"{delay * 1000:.0f} ms" for delay in delays])
    assert min(delays) < 1.0, delays
    home.polyaxon("ops", "stop", "-uid", pipeline["uuid"], "-p", pipeline["project"], "-y")
