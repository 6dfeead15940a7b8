"""Kills the server again and again while it writes, and looks after every kill for what it had acknowledged.

    PYTHONPATH=tests python tests/faults/killing.py --kills 100 --seed 1 [--database postgres] [--no-driver]

Writers send 200 requests a second (runs, statuses, merges of outputs, lineage, and jobs that the server executes), the
checks of `interop/driver` are further traffic. After each kill: the file of the database is whole, every acknowledged
write is there, and in the end no run of the server is left on its way.
"""

import argparse
import collections
import http.client
import json
import os
import pathlib
import random
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

from postgres import Database
from support import FINAL, Home

WRITERS = 8
REQUESTS_A_SECOND = 200
# Groups that leave no job behind which runs for ever.
GROUPS = "projects,runs,run_updates,lineage,versions,artifacts,events,logs,pql,stats"
FOLDER = "/api/v1/default/kills"


class Acknowledged:
    """What the server has confirmed since the last look."""

    def __init__(self):
        self.lock = threading.Lock()
        self.writes = collections.defaultdict(lambda: {"outputs": set(), "statuses": set(), "lineage": set()})
        self.jobs = set()
        self.count = 0
        self.refusals = collections.Counter()

    def note(self, run, kind=None, what=None):
        with self.lock:
            self.count += 1
            writes = self.writes[run]
            if kind:
                writes[kind].add(what)

    def take(self):
        with self.lock:
            writes, self.writes = dict(self.writes), collections.defaultdict(self.writes.default_factory)
            return writes


class Connection:
    """Requests over one connection at a time; None is the answer of a server that is away."""

    def __init__(self, port):
        self.port, self.open = port, None

    def call(self, method, path, body=None):
        try:
            if self.open is None:
                self.open = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            data = None if body is None else json.dumps(body)
            self.open.request(method, path, data, {"Content-Type": "application/json"})
            answer = self.open.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return None, b""

    def read(self, path):
        status, body = self.call("GET", path)
        if status is None:  # The connection was one to the server that was killed.
            status, body = self.call("GET", path)
        assert status == 200, (path, status, body[:300])
        return json.loads(body)

    def close(self):
        if self.open:
            self.open.close()
        self.open = None


class Writer(threading.Thread):
    """Makes runs, each with a few writes, and adds keys to one run that all writers share."""

    def __init__(self, number, port, shared, acknowledged, stop):
        super().__init__(daemon=True)
        self.number, self.shared, self.acknowledged, self.stop = number, shared, acknowledged, stop
        self.connection = Connection(port)
        self.next = time.monotonic()

    def send(self, method, path, body, *note):
        self.next = max(self.next + WRITERS / REQUESTS_A_SECOND, time.monotonic() - 1)
        time.sleep(max(0, self.next - time.monotonic()))
        status, answer = self.connection.call(method, FOLDER + path, body)
        if status in (200, 201):
            answer = json.loads(answer) if answer else {}
            self.acknowledged.note(note[0] if note else answer["uuid"], *note[1:])
            return answer
        self.acknowledged.refusals[status] += 1
        if status is None:
            time.sleep(0.05)
        return None

    def run(self):
        number = 0
        while not self.stop.is_set():
            number += 1
            mark = f"w{self.number}-{number}"
            if self.number == 0 and number % 2 == 0:
                self.job(mark)
            self.write(mark)

    def job(self, mark):
        component = {"kind": "component", "run": {"kind": "job", "container": {"image": "none", "command": ["true"]}}}
        operation = {"kind": "operation", "component": component}
        made = self.send("POST", "/runs", {"name": mark, "content": json.dumps(operation)})
        if made:
            self.acknowledged.jobs.add(made["uuid"])

    def write(self, mark):
        made = self.send("POST", "/runs", {"name": mark, "is_managed": False})
        if not made:
            return
        run = made["uuid"]
        path = f"/runs/{run}"
        for status in ["running", "succeeded"]:
            condition = {"condition": {"type": status, "status": True, "message": mark}}
            self.send("POST", f"{path}/statuses", condition, run, "statuses", status)
            key = f"{mark}-{status}"
            self.send("PATCH", path, {"outputs": {key: 1}, "merge": True}, run, "outputs", key)
            self.send("PATCH", f"/runs/{self.shared}", {"outputs": {key: 1}, "merge": True}, self.shared, "outputs", key)
        artifact = {"name": mark, "kind": "metric", "path": f"events/{mark}", "summary": {"last": 1}}
        self.send("POST", f"{path}/lineage/artifacts", [artifact], run, "lineage", mark)


class Loop:
    def __init__(self, home, seed, has_driver):
        self.home, self.random, self.has_driver = home, random.Random(seed), has_driver
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.connection = Connection(self.port)
        self.acknowledged, self.stop, self.driver = Acknowledged(), threading.Event(), None
        self.checked = self.driver_sessions = 0
        self.downtimes, self.missing = [], []

    def run(self, kills):
        self.start_server()
        assert self.connection.call("POST", "/api/v1/default/projects/create", {"name": "kills"})[0] == 201
        status, body = self.connection.call("POST", f"{FOLDER}/runs", {"name": "shared", "is_managed": False})
        assert status == 201, body
        shared = json.loads(body)["uuid"]
        writers = [Writer(n, self.port, shared, self.acknowledged, self.stop) for n in range(WRITERS)]
        for writer in writers:
            writer.start()
        try:
            for _ in range(kills):
                self.drive()
                time.sleep(self.random.uniform(0.1, 2))
                self.kill_and_look()
        finally:
            self.stop.set()
            for writer in writers:
                writer.join(30)
            if self.driver:
                self.driver.kill()
                self.driver.wait()
        self.look(self.acknowledged.take())
        return self.report(kills, self.unfinished())

    def start_server(self):
        self.home.polyaxon("server", "start", "--port", self.port, "--capacity", 8)

    def kill_and_look(self):
        # What was acknowledged before the kill; writes that came in meanwhile are looked at the next time.
        self.home.kill_server()
        start = time.monotonic()
        writes = self.acknowledged.take()
        if not self.home.database:
            self.check_file()
        again = time.monotonic()
        self.start_server()
        self.downtimes.append(time.monotonic() - again)
        assert again - start < 60
        self.look(writes)

    def check_file(self):
        """Looks at a copy, so that the server itself opens what the kill left."""
        with tempfile.TemporaryDirectory() as folder:
            for path in self.home.state.glob("polyaxon.db*"):
                if not path.name.endswith("-shm"):
                    shutil.copy(path, folder)
            database = sqlite3.connect(pathlib.Path(folder) / "polyaxon.db")
            verdict = database.execute("PRAGMA integrity_check").fetchall()
            strangers = database.execute("PRAGMA foreign_key_check").fetchall()
            database.close()
        assert (verdict, strangers) == ([("ok",)], []), (verdict, strangers)

    def look(self, writes):
        for uuid, expected in writes.items():
            path = f"{FOLDER}/runs/{uuid}"
            found = {}
            found["outputs"] = set(self.connection.read(path).get("outputs") or {})
            if expected["statuses"]:
                conditions = self.connection.read(f"{path}/statuses")["status_conditions"]
                found["statuses"] = {condition["type"] for condition in conditions}
            if expected["lineage"]:
                found["lineage"] = {row["name"] for row in self.connection.read(f"{path}/lineage/artifacts")["results"]}
            for kind, wanted in expected.items():
                self.checked += 1 + len(wanted)
                self.missing += [(uuid, kind, what) for what in wanted - found.get(kind, set())]

    def unfinished(self):
        """Jobs that did not reach an end though they had time; unknown ones would be an error of reading."""
        open_jobs, end = set(self.acknowledged.jobs), time.monotonic() + 120
        while open_jobs and time.monotonic() < end:
            states = {uuid: self.connection.read(f"{FOLDER}/runs/{uuid}")["status"] for uuid in open_jobs}
            open_jobs = {uuid for uuid, status in states.items() if status not in FINAL}
            time.sleep(0.2)
        return {uuid: states[uuid] for uuid in open_jobs}

    def drive(self):
        if not self.has_driver or (self.driver and self.driver.poll() is None):
            return
        self.driver_sessions += 1
        log = open(self.home.work / f"driver-{self.driver_sessions}.log", "w")
        self.driver = subprocess.Popen(
            [sys.executable, "-m", "driver", "--strict", "-g", GROUPS],
            cwd=pathlib.Path(__file__).parent.parent / "interop",
            env={**os.environ, "POLYAXON_HOST": f"http://127.0.0.1:{self.port}"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )

    def report(self, kills, unfinished):
        jobs = collections.Counter(self.connection.read(f"{FOLDER}/runs/{uuid}")["status"] for uuid in self.acknowledged.jobs)
        text = "".join(path.read_text() for path in self.home.work.glob("driver-*.log"))
        return {
            "kills": kills,
            "acknowledged": self.acknowledged.count,
            "checked": self.checked,
            "missing": self.missing[:10],
            "unfinished": unfinished,
            "jobs": dict(jobs),
            "answers that were no success": {str(status): n for status, n in self.acknowledged.refusals.items()},
            "slowest start in s": round(max(self.downtimes, default=0), 2),
            "checks of the driver": {word: text.count(f"\n{word} ") for word in ["PASS", "FAIL"]},
            "panics": (self.home.state / "server.log").read_text(errors="replace").count("panicked"),
        }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--no-driver", action="store_true")
    options = parser.parse_args()
    print("seed", options.seed, flush=True)
    home = Home(tempfile.mkdtemp(prefix="polyaxon-kills-"), Database() if options.database == "postgres" else None)
    try:
        report = Loop(home, options.seed, not options.no_driver).run(options.kills)
    finally:
        home.close()
    print(json.dumps(report, indent=1))
    shutil.rmtree(home.path.parent, ignore_errors=True)
    return 1 if report["missing"] or report["unfinished"] or report["panics"] else 0


if __name__ == "__main__":
    sys.exit(main())
