#!/usr/bin/env python3
"""Measures the engine: how fast pipelines go on, how many operations a second, how much memory large ones need, how
long searches think, and whether people wait behind them. Run it with `cargo xtask bench engine`, on a machine that does
nothing else; it takes about three minutes.

`chain` and `interactive` are measured on a server with processes, the others with `scale`, which has the store and the
driver of a server and an executor that does nothing. Only the standard library is used. Every number is printed with
its target; nothing fails when one is missed.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import tempfile
import time

from bench import Report, Server


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--program", required=True, help="the built program")
    parser.add_argument("--scale", required=True, help="the built example `scale` of the simulator")
    parser.add_argument("--only", choices=MEASURES, help="measure this alone")
    parser.add_argument("--repeat", type=int, default=3, help="how often to measure `dag` and `mapping`; the median counts")
    parser.add_argument("--whole", action="store_true", help="play `trials` to the end: five minutes more")
    parser.add_argument("--json", help="also write the numbers to this file")
    arguments = parser.parse_args()

    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    report = Report()
    for name, measure in MEASURES.items():
        if arguments.only in (None, name):
            measure(report, arguments)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(report.rows, indent=2) + "\n")


def scale(arguments, *words):
    answer = subprocess.run([arguments.scale, *map(str, words)], check=True, stdout=subprocess.PIPE)
    return json.loads(answer.stdout)


def repeated(arguments, *words):
    """The medians of some measurements."""
    answers = [scale(arguments, *words) for _ in range(arguments.repeat)]
    return {key: statistics.median(answer[key] for answer in answers) for key in answers[0]}


# With processes


def measure_chain(report, arguments, count=60):
    """Each operation prints when it began. What a process costs is measured alone and taken off."""
    with running(arguments) as server:
        started = []
        for _ in range(20):
            begin = time.perf_counter()
            for command in ([arguments.program, "version"], ["date", "+%s%N"]):
                subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            started.append((time.perf_counter() - begin) * 1000)
        steps = []
        for chain in range(3):
            names = [f"op-{number}" for number in range(count)]
            operations = [
                {"name": name, "dagRef": "date", "dependencies": names[number - 1 : number] if number else []}
                for number, name in enumerate(names)
            ]
            component = {"kind": "component", "name": "date", "run": job(["date", "+%s%N"])}
            dag = {"kind": "dag", "components": [component], "operations": operations}
            uuid = submit(server, f"chain-{chain}", {"component": {"kind": "component", "run": dag}})
            server.wait([uuid])
            children = server.request("GET", f"/api/v1/default/bench/runs?query=pipeline:{uuid}&limit={count}")
            began = sorted(int(server.stdout(child["uuid"])) for child in children["results"])
            assert len(began) == count, f"{len(began)} of {count} operations ran"
            steps += [(after - before) / 1e6 for before, after in zip(began, began[1:])]
    process = statistics.median(started)
    report.add("start of two processes, alone", process, "ms")
    report.add("step to step in a chain, p50", statistics.median(steps), "ms", process + 8)
    report.add("step to step in a chain, p99", sorted(steps)[int(len(steps) * 0.99)], "ms")


def measure_interactive(report, arguments, children=10_000, samples=40):
    """While the queue fills, and while it is full."""
    with running(arguments) as server:
        values = [{"x": number} for number in range(children)]
        component = {"kind": "component", "inputs": [{"name": "x", "type": "int"}], "run": job(["sleep", "0.5"])}
        submit(server, "sweep", {"matrix": {"kind": "mapping", "values": values}, "component": component})
        delays = []
        for sample in range(samples):
            time.sleep(0.1)
            sent = time.time_ns()
            uuid = submit(server, f"by-hand-{sample}", {"component": {"kind": "component", "run": job(["date", "+%s%N"])}})
            server.wait([uuid])
            delays.append((int(server.stdout(uuid)) - sent) / 1e6)
        memory = server.memory() / 1e6
    report.add("a run by hand beside a sweep, p50", statistics.median(delays), "ms")
    report.add("a run by hand beside a sweep, worst", max(delays), "ms", 100)
    report.add("server, memory", memory, "MB")


def running(arguments):
    class Prepared(Server):
        def __enter__(self):
            super().__enter__()
            self.request("POST", "/api/v1/default/projects/create", {"name": "bench"})
            return self

        def __exit__(self, *details):
            super().__exit__(*details)
            folder.cleanup()

    folder = tempfile.TemporaryDirectory(prefix="polyaxon-bench-")
    return Prepared(arguments.program, pathlib.Path(folder.name) / "home")


def job(command):
    return {"kind": "job", "container": {"image": "none", "command": command}}


def submit(server, name, operation):
    content = json.dumps({"kind": "operation", "name": name, "cache": {"disable": True}, **operation})
    body = {"name": name, "content": content, "is_managed": True}
    return server.request("POST", "/api/v1/default/bench/runs", body)["uuid"]


# With an executor that does nothing


def measure_dag(report, arguments, count=10_000):
    dag = repeated(arguments, "dag", count)
    report.add(f"dag of {count:,}, once all exist", dag["ended"] / (dag["took"] - dag["first"]), "/s", 3000, is_minimum=True)
    report.add(f"dag of {count:,}, with their creation", dag["ended"] / dag["took"], "/s")
    report.add("  CPU time of an operation", (dag["took_cpu"] - dag["first_cpu"]) * 1000 / dag["ended"], "ms")
    report.add_memory(f"dag of {count:,}", dag["memory"], 300)


def measure_mapping(report, arguments, count=100_000):
    mapping = repeated(arguments, "mapping", count, 5_000)
    report.add(f"mapping of {count:,}, first child", mapping["first"] * 1000, "ms", 1000)
    report.add("  CPU time until then", mapping["first_cpu"] * 1000, "ms")
    report.add(f"mapping of {count:,}, all created", mapping["created"], "s")
    report.add_memory(f"mapping of {count:,}", mapping["memory"], 400)


def measure_trials(report, arguments, count=10_000, slots=16, seconds=0.5):
    """The first of them by default: each costs the same."""
    played = count if arguments.whole else 1_600
    trials = scale(arguments, "trials", count, slots, seconds, played)
    ideal = trials["ended"] / slots * seconds
    report.add(f"{count:,} trials of {seconds} s on {slots} slots", (trials["took"] / ideal - 1) * 100, "%", 5)


def measure_suggestions(report, arguments):
    for kind, trials, limit in [("random", 1000, 0.1), ("tpe", 100, 1), ("tpe", 1000, 10), ("bayes", 100, 50)]:
        answer = scale(arguments, "suggestions", kind, trials)
        report.add(f"suggestion of {kind}, {trials} trials", answer["suggestion"] * 1000, "ms", limit)


MEASURES = {
    "chain": measure_chain,
    "dag": measure_dag,
    "mapping": measure_mapping,
    "trials": measure_trials,
    "suggestions": measure_suggestions,
    "interactive": measure_interactive,
}

if __name__ == "__main__":
    main()
