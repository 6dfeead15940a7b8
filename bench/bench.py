#!/usr/bin/env python3
"""Measures the program: start-up, checks, the server's start and memory, the way from submission to process, and
the rate of short runs. Run it with `cargo xtask bench`, on a machine that does nothing else.

Only the standard library is used. Every number is printed with its target; nothing fails when one is missed.
"""

import argparse
import concurrent.futures
import http.client
import json
import os
import pathlib
import platform
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
OPERATION = ROOT / "examples" / "quick-start" / "operation.yaml"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True, help="the built program")
    parser.add_argument("--official", help="the official `polyaxon`, to compare with")
    parser.add_argument("--runs", type=int, default=300, help="how many runs of /bin/true to submit at once")
    parser.add_argument("--samples", type=int, default=200, help="how many runs to measure one after the other")
    parser.add_argument("--json", help="also write the numbers to this file")
    arguments = parser.parse_args()

    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    report = Report()
    with tempfile.TemporaryDirectory(prefix="polyaxon-bench-") as folder:
        measure_commands(report, arguments, pathlib.Path(folder))
        measure_server(report, arguments, pathlib.Path(folder))
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(report.rows, indent=2) + "\n")


class Report:
    """Prints a table, row by row."""

    def __init__(self):
        self.rows = []
        print(f"{'what':<44} {'measured':>14} {'target':>12}")

    def add(self, what, value, unit, limit=None, is_minimum=False):
        is_met = limit is None or (value >= limit if is_minimum else value <= limit)
        self.rows.append({"what": what, "value": value, "unit": unit, "target": limit, "met": is_met})
        target = "" if limit is None else f"{'>=' if is_minimum else '<='} {limit:g} {unit}"
        text = f"{value:.1f}" if value >= 10 else f"{value:.2f}"
        print(f"{what:<44} {text:>10} {unit:<3} {target:>12} {'' if is_met else 'MISSED'}", flush=True)

    def add_memory(self, what, memory, limit=None):
        if memory is not None:
            self.add(f"{what}, memory", memory / 1e6, "MB", limit)


# Commands


def measure_commands(report, arguments, folder):
    environment = clean_environment(folder / "commands")
    for name, command, milliseconds in [
        ("--help", ["--help"], 10),
        ("version", ["version"], 10),
        ("check operation.yaml", ["check", "-f", str(OPERATION)], 15),
    ]:
        wall, memory = measure_command([arguments.program, *command], environment, times=50)
        report.add(name, wall * 1000, "ms", milliseconds)
        report.add_memory(name, memory, 15 if name != "check operation.yaml" else None)
        if arguments.official and name != "version":
            wall, memory = measure_command([arguments.official, *command], environment, times=5)
            report.add(f"  official {name}", wall * 1000, "ms")
            report.add_memory(f"  official {name}", memory)


def measure_command(command, environment, times):
    """Returns the median wall time in seconds and the largest memory in bytes (None without GNU time)."""
    walls = []
    silent = {"env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": True}
    for _ in range(times):
        start = time.perf_counter()
        subprocess.run(command, **silent)
        walls.append(time.perf_counter() - start)

    # A child of this process would count this process' own memory, so a small program has to start it.
    if shutil.which("time") is None:
        return statistics.median(walls), None
    with tempfile.NamedTemporaryFile() as file:
        subprocess.run(["time", "--format=%M", f"--output={file.name}", *command], **silent)
        return statistics.median(walls), int(file.read()) * 1024


# Server


def measure_server(report, arguments, folder):
    starts = []
    for attempt in range(5):
        with Server(arguments.program, folder / f"cold-{attempt}") as server:
            starts.append(server.seconds_to_answer)
    report.add("server, empty home to first answer", statistics.median(starts) * 1000, "ms", 200)

    with Server(arguments.program, folder / "warm") as server:
        time.sleep(2)
        report.add("server, idle memory", server.memory() / 1e6, "MB", 50)
        server.request("POST", "/api/v1/default/projects/create", {"name": "bench"})
        measure_latency(report, server, arguments.samples)
        measure_rate(report, server, arguments.runs)
        report.add("server, memory afterwards", server.memory() / 1e6, "MB")


def measure_latency(report, server, samples):
    """From the moment of the request to the moment at which the process itself looks at the clock."""
    delays = []
    for index in range(samples):
        sent = time.time_ns()
        uuid = server.submit(f"latency-{index}", ["date", "+%s%N"])
        server.wait([uuid])
        delays.append((int(server.stdout(uuid)) - sent) / 1e6)
    delays = sorted(delays[5:])
    report.add("submitted to process started, p50", delays[len(delays) // 2], "ms", 20)
    report.add("submitted to process started, p99", delays[int(len(delays) * 0.99)], "ms", 60)


def measure_rate(report, server, runs):
    start = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        uuids = list(pool.map(lambda index: server.submit(f"true-{index}", ["/bin/true"]), range(runs)))
    submitted = time.perf_counter() - start
    server.wait(uuids)
    total = time.perf_counter() - start
    for uuid in uuids:
        run = server.request("GET", f"/api/v1/default/bench/runs/{uuid}")
        assert run["status"] == "succeeded", f"{uuid} is {run['status']}"
        assert (server.artifacts / uuid / "plxlogs").is_dir(), f"{uuid} has no logs"
    report.add(f"{runs} runs of /bin/true, submitting", submitted * 1000, "ms")
    report.add(f"{runs} runs of /bin/true, to the end", runs / total, "/s", 100, is_minimum=True)


class Server:
    """A server in the foreground on its own empty home."""

    def __init__(self, program, home):
        self.program, self.home = program, home
        self.artifacts = home / "local" / "artifacts"
        self.threads = threading.local()

    def __enter__(self):
        environment = clean_environment(self.home)
        self.port = free_port()
        command = [self.program, "server", "--host", "127.0.0.1", "--port", str(self.port)]
        start = time.perf_counter()
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while True:
            try:
                self.request("GET", "/api/v1/installation")
                break
            except OSError:
                assert self.process.poll() is None, "the server ended at its start"
                time.sleep(0.001)
        self.seconds_to_answer = time.perf_counter() - start
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
        shutil.rmtree(self.home, ignore_errors=True)

    def request(self, method, path, body=None):
        connection = getattr(self.threads, "connection", None)
        if connection is None:
            connection = self.threads.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            response = connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.threads.connection = None
            raise OSError(str(error)) from error
        assert response.status < 400, f"{method} {path}: {response.status} {text[:500]}"
        return json.loads(text)

    def submit(self, name, command):
        run = {"kind": "job", "container": {"image": "none", "command": command}}
        operation = {"kind": "operation", "name": name, "component": {"kind": "component", "run": run}}
        body = {"name": name, "content": json.dumps(operation), "is_managed": True}
        return self.request("POST", "/api/v1/default/bench/runs", body)["uuid"]

    def wait(self, uuids):
        for uuid in uuids:
            while True:
                status = self.request("GET", f"/api/v1/default/bench/runs/{uuid}/statuses")["status"]
                if status in ("succeeded", "failed", "stopped"):
                    break
                time.sleep(0.002)

    def stdout(self, uuid):
        return "".join(file.read_text() for file in (self.artifacts / uuid / "plxlogs").glob("*.stdout"))

    def memory(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no memory in /proc")


def clean_environment(home):
    home.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("POLYAXON_")}
    return {**kept, "HOME": str(home), "POLYAXON_HOME": str(home), "POLYAXON_INTERVALS_COMPATIBILITY_CHECK": "-1"}


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


if __name__ == "__main__":
    main()
