"""Receivers of notifications hang and refuse, and the server is killed: everybody is told, and no run is touched."""

import http.server
import json
import queue
import threading

import pytest
from support import wait_until

SECRET = "T0SECRET"


class Receiver:
    """A web server that notes what it gets and answers as it is told to: a status, or `hang`."""

    def __init__(self):
        self.messages, self.answer, self.released = queue.Queue(), 200, threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                receiver.messages.put(body)
                if receiver.answer == "hang":
                    receiver.released.wait(60)
                    return
                self.send_response(receiver.answer)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/{SECRET}"

    def close(self):
        self.released.set()
        self.server.shutdown()


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


def connect(home, receiver):
    address = home.path / "hook.url"
    address.write_text(receiver.url)
    (home.path / "connections.yaml").write_text(
        f"connections:\n- name: hook\n  kind: webhook\n  schema: {{url: {{file: {address}}}}}\n"
    )


def run_of(home, script="true"):
    operation = {
        "kind": "operation",
        "plugins": {"notifications": [{"connections": ["hook"]}]},
        "component": {"run": {"kind": "job", "container": {"command": ["sh", "-c", script]}}},
    }
    file = home.work / "operation.yaml"
    file.write_text(json.dumps(operation))
    return home.submit("-f", file)


def test_a_message_that_a_killed_server_was_sending_is_sent_by_the_next(home, receiver):
    connect(home, receiver)
    receiver.answer = "hang"
    run = run_of(home)
    assert receiver.messages.get(timeout=30)["context"]["uuid"] == run["uuid"]
    home.kill_server()
    receiver.answer = 200
    home.polyaxon("server", "start")
    message = receiver.messages.get(timeout=30)
    assert (message["context"]["uuid"], message["status"]) == (run["uuid"], "succeeded")
    assert home.wait(run)["status"] == "succeeded"


def test_a_receiver_that_refuses_is_asked_again_and_its_address_stays_secret(home, receiver):
    connect(home, receiver)
    receiver.answer = 503
    run = run_of(home, "exit 3")
    assert home.wait(run)["status"] == "failed"
    receiver.messages.get(timeout=30)

    def explained():
        text = home.polyaxon("explain", run["uuid"], "-p", run["project"]).stdout
        return text if "tried again" in text else None

    text = wait_until(explained, what="the failure is told")
    assert "`hook` was not told yet: the receiver answered 503" in text
    receiver.answer = 200
    assert receiver.messages.get(timeout=30)["status"] == "failed"
    assert SECRET not in text + (home.state / "server.log").read_text()
    assert SECRET not in json.dumps(home.get("/api/v1/orgs/default/connections")) + json.dumps(home.run(run))


def test_a_mistake_in_the_connections_is_shown_with_its_line(home):
    (home.path / "connections.yaml").write_text("connections:\n- name: hook\n  kind: webhok\n")
    result = home.polyaxon("server", "start", code=2)
    assert "connections.yaml:3:9" in result.stderr
    assert "did you mean `webhook`?" in result.stderr
