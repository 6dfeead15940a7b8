#!/usr/bin/env python3
"""Measures the API: creating runs, posting statuses and listing among many runs, with memory and start.

Run it with `cargo xtask bench api`, on a machine that does nothing else. Only the standard library is used; with
`wrk` installed, rates are measured by it. With `--official FOLDER` (a virtual environment with `haupt`) the official
server answers the same requests in turns, over the same runs.
"""

import argparse
import concurrent.futures
import itertools
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import tempfile
import threading
import time

from servers import Official, Ours, encoded

PROJECT = "bench"
RUNS = f"/api/v1/default/{PROJECT}/runs"
TUNED = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000"
OPERATION = {
    "kind": "operation",
    "params": {"lr": {"value": 0.1}},
    "component": {
        "kind": "component",
        "inputs": [{"name": "lr", "type": "float"}],
        "run": {"kind": "job", "container": {"image": "none", "command": ["true"], "args": ["{{ lr }}"]}},
    },
}
USER_RUN = {"is_managed": False, "name": "bench-new"}
# With a gate, so that the run is compiled but nothing is executed.
MANAGED_RUN = {"is_managed": True, "is_approved": False, "content": json.dumps(OPERATION)}

# What a list is asked for among many runs; the first is the one with a target. `{x}` differs in every request.
LISTS = [
    ("by metric", "query=status:succeeded,metrics.loss:<0.5&sort=-metrics.loss"),
    ("by metric, any threshold", "query=status:succeeded,metrics.loss:<0.{x}&sort=-metrics.loss"),
    ("by two metrics", "query=metrics.loss:<0.{x},metrics.acc:>0.5&sort=metrics.acc"),
    ("nothing asked", ""),
    ("other statuses", "query=status:failed|stopped&sort=-created_at"),
    ("few match", "query=status:running,metrics.loss:<0.001&sort=metrics.acc"),
    ("deep page", "query=status:succeeded&sort=-metrics.loss&offset=400000"),
    ("sort by duration", "sort=-duration"),
    ("sort by start", "sort=-started_at"),
    ("sort by name", "query=status:succeeded&sort=name"),
    ("one tag", "query=tags:group-7&sort=-metrics.loss"),
    ("name contains", "query=name:%1234%"),
    ("one uuid", "query=uuid:0000%"),
    ("by input", "query=inputs.lr:<0.001&sort=-metrics.loss"),
    ("kind, two dates", "query=kind:job,created_at:>2020-01-01&sort=-finished_at"),
    ("bookmarks", "bookmarks=true"),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True, help="the built program")
    parser.add_argument("--seed", required=True, help="the built example `seed` of the store")
    parser.add_argument("--runs", type=int, default=1_000_000, help="how many runs the large store has")
    parser.add_argument("--home", help="keep the large store in this folder, and find it there the next time")
    parser.add_argument("--database", help="postgres://... for the large store, instead of SQLite")
    parser.add_argument("--official", help="folder of a virtual environment with the official server")
    parser.add_argument("--compared", type=int, default=10_000, help="how many runs the compared servers have")
    parser.add_argument("--seconds", type=float, default=8, help="how long each rate is measured")
    parser.add_argument("--samples", type=int, default=300, help="how many requests each latency is measured with")
    parser.add_argument("--only", choices=["large", "compared"], help="measure one part")
    parser.add_argument("--json", help="also write the numbers to this file")
    arguments = parser.parse_args()

    report = Report()
    with tempfile.TemporaryDirectory(prefix="polyaxon-bench-") as folder:
        folder = pathlib.Path(folder)
        if arguments.only != "compared":
            measure_large(report, arguments, folder)
        if arguments.only != "large":
            measure_compared(report, arguments, folder)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(report.rows, indent=2) + "\n")


class Report:
    def __init__(self):
        self.rows = []
        print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
        print("latencies: one request at a time; rates: 16 connections; CPU: of the server, per request")

    def title(self, text):
        print(f"\n{text}, load {os.getloadavg()[0]:.1f}")

    def add(self, what, value, unit, limit=None, is_minimum=False):
        is_met = limit is None or (value >= limit if is_minimum else value <= limit)
        target = "" if limit is None else f"{'>=' if is_minimum else '<='} {limit:g} {unit}"
        self.note(what, {"value": value, "unit": unit, "target": limit, "met": is_met})
        print(f"{what:<40} {value:>10.1f} {unit:<4} {target:>12} {'' if is_met else 'MISSED'}", flush=True)

    def latency(self, what, measured, p50=None, p99=None):
        is_met = (p50 is None or measured["p50"] <= p50) and (p99 is None or measured["p99"] <= p99)
        target = "  ".join(f"{name} <= {limit:g}" for name, limit in [("p50", p50), ("p99", p99)] if limit)
        self.note(what, {**measured, "target": target, "met": is_met})
        numbers = f"p50 {measured['p50']:>8.2f}  p99 {measured['p99']:>8.2f} ms  first {measured['first']:>8.1f} ms"
        print(f"{what:<40} {numbers}  CPU {measured['cpu']:>6.2f} ms  {target} {'' if is_met else 'MISSED'}", flush=True)

    def rate(self, what, measured, limit=None):
        is_met = limit is None or measured["rate"] >= limit
        target = "" if limit is None else f">= {limit}/s"
        self.note(what, {**measured, "target": target, "met": is_met})
        numbers = f"{measured['rate']:>8.0f}/s  p50 {measured['p50']:>7.1f}  p99 {measured['p99']:>8.1f} ms"
        failed = f"  {measured['failed']} FAILED" if measured["failed"] else ""
        verdict = "" if is_met else "MISSED"
        print(f"{what:<40} {numbers}  CPU {measured['cpu']:>6.2f} ms{failed}  {target} {verdict}", flush=True)

    def note(self, what, numbers):
        self.rows.append({"what": what, **numbers})


# Many runs


def measure_large(report, arguments, folder):
    home = pathlib.Path(arguments.home) if arguments.home else folder / "large"
    name = "PostgreSQL" if arguments.database else "SQLite"
    with Ours(arguments, folder / "empty") as server:
        report.title("An empty home")
        report.add("start", server.seconds_to_answer * 1000, "ms", 200)
        time.sleep(2)
        report.add("memory, idle", server.memory() / 1e6, "MB", 50)

    seed(arguments, home, arguments.runs, arguments.database)
    report.title(f"{arguments.runs:,} runs, {name}")
    with Ours(arguments, home, arguments.database) as server:
        report.add("start", server.seconds_to_answer * 1000, "ms", 500)
        time.sleep(2)
        report.add("memory, idle", server.memory() / 1e6, "MB", 200)
        for title, query in LISTS:
            paths = (f"{RUNS}?limit=20&{query.replace('{x}', str(number))}" for number in itertools.count(10_000, 37))
            samples = arguments.samples if title != "nothing asked" else arguments.samples * 3
            target = 50 if title == "by metric" else None
            report.latency(f"list, {title}", latency(server, "GET", paths, None, samples), p99=target)
        report.add("memory, after the lists", server.memory() / 1e6, "MB", 200)

        listed = itertools.repeat(f"{RUNS}?limit=20&{LISTS[0][1]}")
        with Writers(server, rate=200):
            measured = latency(server, "GET", listed, None, arguments.samples)
            report.latency("list, by metric, 200 writes/s beside", measured, p99=50)
        measure_writes(report, server, arguments, targets=True)
        report.add("memory, at the end", server.memory() / 1e6, "MB", 200)


def measure_writes(report, server, arguments, targets=False, name=""):
    limits = {"p50": 3, "p99": 15} if targets else {}
    rate, post = (800, 2000) if targets else (None, None)
    create = itertools.repeat(RUNS)
    report.latency(f"{name}create run (user)", latency(server, "POST", create, USER_RUN, arguments.samples * 3), **limits)
    managed = latency(server, "POST", create, MANAGED_RUN, arguments.samples * 3)
    report.latency(f"{name}create run (managed)", managed, **limits)
    measured = load(server, "POST", [RUNS], USER_RUN, arguments.seconds)
    report.rate(f"{name}create run (user)", measured, rate)
    measured = load(server, "POST", [RUNS], MANAGED_RUN, arguments.seconds)
    report.rate(f"{name}create run (managed)", measured, rate)
    uuids = [server.request("POST", RUNS, USER_RUN)["uuid"] for _ in range(300)]
    paths = [f"{RUNS}/{uuid}/statuses" for uuid in uuids]
    measured = load(server, "POST", paths, {"condition": {"type": "running", "status": True}}, arguments.seconds)
    report.rate(f"{name}post status", measured, post)
    paths = [f"{RUNS}/{uuid}" for uuid in uuids]
    measured = load(server, "PATCH", paths, {"outputs": {"loss": 0.5, "acc": 0.7}, "merge": True}, arguments.seconds)
    report.rate(f"{name}merge outputs", measured)


# Beside the official server


def measure_compared(report, arguments, folder):
    home = folder / "compared"
    seed(arguments, home, arguments.compared, None)
    report.title(f"{arguments.compared:,} runs, SQLite" + (", beside the official server" if arguments.official else ""))
    with Ours(arguments, home) as ours:
        servers = {"": ours}
        if arguments.official:
            servers["  official, tuned: "] = Official(arguments, folder / "tuned", {"init_command": TUNED})
            servers["  official, stock: "] = Official(arguments, folder / "stock", None)
        try:
            for name, server in list(servers.items())[1:]:
                server.start()
                copy(ours, server, arguments.compared)
                report.add(f"{name}start", server.seconds_to_answer * 1000, "ms")
            compare(report, servers, arguments)
        finally:
            for server in list(servers.values())[1:]:
                server.stop()


def compare(report, servers, arguments):
    listed = servers[""].request("GET", f"{RUNS}?limit=300&sort=created_at")["results"]
    seeded = [f"{RUNS}/{run['uuid']}" for run in listed]
    running = [f"{RUNS}/{run['uuid']}/statuses" for run in listed]
    status = {"condition": {"type": "running", "status": True}, "force": True}
    for what, method, paths, body in [
        ("get run", "GET", seeded, None),
        ("list 20", "GET", [f"{RUNS}?limit=20"], None),
        ("list 20, by metric", "GET", [f"{RUNS}?limit=20&{LISTS[0][1]}"], None),
        ("post status", "POST", running, status),
        ("create run (user)", "POST", [RUNS], USER_RUN),
        ("create run (managed)", "POST", [RUNS], MANAGED_RUN),
    ]:
        for name, server in servers.items():
            server.request("GET", "/api/v1/installation")
            report.latency(f"{name}{what}", latency(server, method, itertools.cycle(paths), body, 100))
        for name, server in servers.items():
            report.rate(f"{name}{what}", load(server, method, paths, body, arguments.seconds))
    for name, server in servers.items():
        report.add(f"{name}memory afterwards", server.memory() / 1e6, "MB")


def copy(ours, theirs, runs):
    """Records the same runs on another server."""
    theirs.request("POST", "/api/v1/default/projects/create", {"name": PROJECT})

    def one(row):
        body = {**row, "is_managed": False, "status_conditions": []}
        # The stock official server refuses writes while its database is locked.
        assert any(theirs.request("POST", f"{RUNS}/sync", body, may_fail=True) for _ in range(50)), row["uuid"]

    for offset in range(0, runs, 500):
        rows = ours.request("GET", f"{RUNS}?limit=500&offset={offset}&sort=created_at&no_page=true")["results"]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(one, rows))


# Load


def latency(server, method, paths, body, samples):
    """Requests one after the other, the first of which is told apart."""
    times = []
    cpu = server.cpu()
    for path in itertools.islice(paths, samples):
        start = time.perf_counter()
        server.request(method, path, body, may_fail=True)
        times.append((time.perf_counter() - start) * 1000)
    first, rest = times[0], sorted(times[1:])
    cpu = (server.cpu() - cpu) * 1000 / samples
    return {"p50": rest[len(rest) // 2], "p99": rest[int(len(rest) * 0.99)], "first": first, "cpu": cpu}


def load(server, method, paths, body, seconds):
    cpu = server.cpu()
    measured = (wrk if shutil.which("wrk") else threads)(server, method, paths, body, seconds)
    measured["cpu"] = (server.cpu() - cpu) * 1000 / max(measured.pop("requests"), 1)
    return measured


def wrk(server, method, paths, body, seconds):
    script = "\n".join([
        f"local paths = {{{', '.join(map(json.dumps, map(encoded, paths)))}}}",
        f"wrk.method = {json.dumps(method)}",
        f"wrk.body = {json.dumps(json.dumps(body)) if body is not None else 'nil'}",
        'wrk.headers["Content-Type"] = "application/json"',
        "local next = 0",
        "function request()",
        "  next = next % #paths + 1",
        "  return wrk.format(nil, paths[next])",
        "end",
    ])
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        command = ["wrk", "-t2", "-c16", f"-d{seconds:g}s", "--latency", "--timeout", "30s", "-s", file.name]
        text = subprocess.run([*command, server.address], check=True, capture_output=True, text=True).stdout
    units = {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}

    def percentile(name):
        number, unit = re.search(rf"{name}%\s+([\d.]+)(us|ms|s|m)\b", text).groups()
        return float(number) * units[unit]

    failed = sum(int(number) for number in re.findall(r"(?:Non-2xx or 3xx responses:|timeout) (\d+)", text))
    requests = int(re.search(r"(\d+) requests in", text).group(1))
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))
    return {"rate": rate, "p50": percentile(50), "p99": percentile(99), "failed": failed, "requests": requests}


def threads(server, method, paths, body, seconds):
    """The same without wrk; the client is the slower part then."""
    end, times, failed = time.monotonic() + seconds, [], []

    def work(first):
        for path in itertools.islice(itertools.cycle(paths), first, None):
            if time.monotonic() > end:
                return
            start = time.perf_counter()
            if not server.request(method, path, body, may_fail=True):
                failed.append(path)
            times.append((time.perf_counter() - start) * 1000)

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))
    times.sort()
    return {"rate": len(times) / seconds, "p50": times[len(times) // 2], "p99": times[int(len(times) * 0.99)],
            "failed": len(failed), "requests": len(times)}


class Writers:
    """Changes runs beside what is measured."""

    def __init__(self, server, rate):
        self.server, self.pause, self.done = server, 1 / rate, threading.Event()

    def __enter__(self):
        self.uuids = [self.server.request("POST", RUNS, USER_RUN)["uuid"] for _ in range(50)]
        self.thread = threading.Thread(target=self.write)
        self.thread.start()

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()

    def write(self):
        for number in itertools.count():
            if self.done.wait(self.pause):
                return
            body = {"outputs": {"loss": number % 100 / 100}, "merge": True}
            self.server.request("PATCH", f"{RUNS}/{self.uuids[number % 50]}", body)


def seed(arguments, home, runs, database):
    """Fills a store once; runs that are there already stay."""
    target = home / "local" / "polyaxon.db"
    if not database and target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    subprocess.run([arguments.seed, database or str(target), PROJECT, str(runs)], check=True)
    print(f"\n{runs:,} runs recorded in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
