"""The servers that the API benchmarks measure: ours, and the official one from a virtual environment."""

import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.parse


class Server:
    def __init__(self):
        self.threads = threading.local()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"

    def begin(self, command, environment, path):
        start = time.perf_counter()
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(command, env=environment, start_new_session=True, **silent)
        while not self.answers(path):
            assert self.process.poll() is None, f"{command[0]} ended at its start"
            time.sleep(0.002)
        self.seconds_to_answer = time.perf_counter() - start

    def answers(self, path):
        try:
            return self.request("GET", path, may_fail=True)
        except OSError:
            return False

    def stop(self):
        if hasattr(self, "process"):
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def request(self, method, path, body=None, may_fail=False):
        """The answer; when it may fail, whether there was one."""
        connection = getattr(self.threads, "connection", None)
        if connection is None:
            connection = self.threads.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
            connection.connect()
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            text = json.dumps(body) if body is not None else None
            connection.request(method, encoded(path), text, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.threads.connection = None
            raise OSError(str(error)) from error
        if may_fail:
            return response.status < 400
        assert response.status < 400, f"{method} {path}: {response.status} {answer[:500]}"
        return json.loads(answer)

    def processes(self):
        """The numbers of the process and of those that it started."""
        found = [self.process.pid]
        for pid in found:
            for children in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
                found += map(int, children.read_text().split())
        return found

    def memory(self):
        status = "".join(pathlib.Path(f"/proc/{pid}/status").read_text() for pid in self.processes())
        return sum(int(kilobytes) * 1024 for kilobytes in re.findall(r"VmRSS:\s+(\d+)", status))

    def cpu(self):
        stats = [pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() for pid in self.processes()]
        return sum(int(stat[11]) + int(stat[12]) for stat in stats) / os.sysconf("SC_CLK_TCK")


class Ours(Server):
    """A server in the foreground on a home of its own. It executes nothing."""

    def __init__(self, arguments, home, database=None):
        super().__init__()
        command = [arguments.program, "server", "--host", "127.0.0.1", "--port", str(self.port), "--no-agent"]
        command += ["--database", database] if database else []
        self.begin(command, clean_environment(home), "/api/v1/installation")


class Official(Server):
    def __init__(self, arguments, home, options):
        super().__init__()
        self.program, self.home, self.options = pathlib.Path(arguments.official) / "bin" / "haupt", home, options

    def start(self):
        environment = clean_environment(self.home)
        if self.options:
            options = {"timeout": 20, "transaction_mode": "IMMEDIATE", **self.options}
            environment["POLYAXON_DB_OPTIONS"] = json.dumps(options)
        command = [str(self.program), "sandbox", "start", "--host", "127.0.0.1", "--port", str(self.port)]
        self.begin([*command, "--workers", "1", "--path", str(self.home / "data")], environment, "/healthz")


def clean_environment(home):
    home.mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("POLYAXON_")}
    return {**kept, "HOME": str(home), "POLYAXON_HOME": str(home), "POLYAXON_INTERVALS_COMPATIBILITY_CHECK": "-1"}


def encoded(path):
    return urllib.parse.quote(path, safe="/?&=:,~-._")
