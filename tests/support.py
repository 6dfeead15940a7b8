"""The program under test, its home folder, and the official client looking at its server."""

import json
import os
import pathlib
import signal
import subprocess
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
QUICK_START = ROOT / "examples" / "quick-start"
FINAL = {"succeeded", "failed", "stopped", "skipped", "upstream_failed"}


def program():
    """The built program; `cargo xtask interop` sets it."""
    return os.environ.get("POLYAXON_PROGRAM") or str(ROOT / "target" / "debug" / "polyaxon")


def wait_until(condition, seconds=30, what="the condition"):
    """Returns the first true value of the condition."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what} did not become true within {seconds} s")


def is_alive(pid):
    """Whether a process runs; one that only waits to be collected does not.

    The first thread of a killed process may be dead already while others still hold its locks and its port.
    """
    try:
        threads = len(os.listdir(f"/proc/{pid}/task"))
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return threads > 1 or state != "Z"


class Home:
    """One home folder, empty at first; commands run in a work folder beside it."""

    def __init__(self, folder, database=None):
        self.database = database
        self.path = pathlib.Path(folder) / "home"
        self.work = pathlib.Path(folder) / "work"
        self.path.mkdir()
        self.work.mkdir()
        self.servers = set()

    @property
    def state(self):
        return self.path / "local"

    def environment(self, **more):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("POLYAXON_")}
        database = {"POLYAXON_DATABASE_URL": self.database.url} if self.database else {}
        return {**kept, **database, "HOME": str(self.path), "POLYAXON_HOME": str(self.path), **more}

    def polyaxon(self, *arguments, code=0, cwd=None, timeout=120, **environment):
        """Runs the program and checks its exit code; None accepts every code."""
        result = subprocess.run(
            [program(), *map(str, arguments)],
            cwd=cwd or self.work,
            env=self.environment(**environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
        )
        if code is not None:
            shown = f"polyaxon {' '.join(map(str, arguments))}\n--- stdout\n{result.stdout}\n--- stderr\n{result.stderr}"
            assert result.returncode == code, f"exit code {result.returncode}, expected {code}\n{shown}"
        return result

    def start(self, *arguments, **options):
        """Starts the program without waiting for it."""
        return subprocess.Popen(
            [program(), *map(str, arguments)],
            cwd=self.work,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def submit(self, *arguments, **options):
        """Submits a run and returns it as the server answered."""
        result = self.polyaxon("run", *arguments, "-o", "json", **options)
        return json.loads(result.stdout)

    def shell(self, script, *arguments, **options):
        """Submits a run of one shell script."""
        return self.submit("--image", "none", "--cmd", script, *arguments, **options)

    def server(self):
        """What server.json says; remembers the process so that it ends with the test."""
        value = json.loads((self.state / "server.json").read_text())
        self.servers.add(value["pid"])
        return value

    def url(self):
        return self.server()["url"].rstrip("/")

    def get(self, path):
        with urllib.request.urlopen(self.url() + path, timeout=30) as response:
            return json.load(response)

    def run(self, run):
        return self.get(f"/api/v1/default/{run['project']}/runs/{run['uuid']}")

    def wait(self, run, seconds=60, status=FINAL):
        """Waits for a status (a final one unless told otherwise) and returns the run."""
        wanted = {status} if isinstance(status, str) else status
        last = {}

        def reached():
            last.update(self.run(run))
            return last["status"] in wanted

        try:
            wait_until(reached, seconds)
        except AssertionError:
            raise AssertionError(f"run {run['uuid']} is {last.get('status')}, not {sorted(wanted)}") from None
        return last

    def conditions(self, run):
        statuses = self.get(f"/api/v1/default/{run['project']}/runs/{run['uuid']}/statuses")
        return statuses["status_conditions"]

    def logs(self, run):
        """The lines of the job as `ops logs` prints them, without times and without the notices of the program."""
        result = self.polyaxon("ops", "logs", "-uid", run["uuid"], "-p", run["project"], "--hide-time")
        return [line for line in result.stdout.splitlines() if not line.startswith("[polyaxon] ")]

    def kill_server(self):
        pid = self.server()["pid"]
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not is_alive(pid), what="the death of the server")

    def official(self, project, uuid=None):
        """The official client of one run (or of a project's runs)."""
        from polyaxon._schemas.client import ClientConfig
        from polyaxon.client import PolyaxonClient, RunClient

        client = PolyaxonClient(config=ClientConfig(host=self.url()))
        return RunClient(owner="default", project=project, run_uuid=uuid, client=client)

    def official_cli(self, *arguments, code=0, **environment):
        """Runs the official command line against this home's server."""
        official = self.path.parent / "official"
        official.mkdir(exist_ok=True)
        result = subprocess.run(
            ["polyaxon", *map(str, arguments)],
            cwd=self.work,
            env=self.environment(
                HOME=str(official), POLYAXON_HOME=str(official), POLYAXON_HOST=self.url(), COLUMNS="200", **environment
            ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert result.returncode == code, result.stdout + result.stderr
        return result

    def close(self):
        """Stops the server of this home, also one that a test left without its file."""
        if (self.state / "server.json").exists():
            self.server()
            self.polyaxon("server", "stop", code=None)
        for pid in self.servers:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.servers.clear()
        if self.database:
            self.database.drop()
