"""Bad files and bad arguments: a clear error, the right exit code, no hang and no server left behind."""

import http.server
import socket
import threading
import time

import pytest
from support import ROOT

RUN = "run: {kind: job, container: {image: none, command: ['true']}}\n"

BAD_FILES = {
    "empty": b"",
    "only a comment": b"# nothing\n",
    "binary": bytes(range(256)) * 100,
    "not utf-8": b"kind: component\nname: \xff\xfe\n",
    "a list": b"- kind: component\n",
    "nesting": b"[" * 1000 + b"]" * 1000,
    "nested mappings": b"".join(b" " * i + b"a:\n" for i in range(1000)),
    "alias bomb": b"a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    + b"".join(b"a%d: &a%d [%s]\n" % (i, i, b", ".join([b"*a%d" % (i - 1)] * 9)) for i in range(1, 10)),
    "two documents": b"kind: component\n---\nkind: component\n",
    "unknown kind": b"kind: experiment\n",
    "tab": b"kind: component\nrun:\n\tkind: job\n",
    "50 MB": b"kind: component\ndescription: " + b"x" * 50_000_000 + b"\n" + RUN.encode(),
    "null bytes": b"kind: component\x00\n",
    "no runtime": b"kind: component\n",
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_an_error_with_its_name(home, name):
    file = home.work / "bad.yaml"
    file.write_bytes(BAD_FILES[name])
    for command in ["check", "run"]:
        start = time.monotonic()
        result = home.polyaxon(command, "-f", file, code=2)
        assert time.monotonic() - start < 5
        assert "bad.yaml" in result.stderr
        assert "panicked" not in result.stderr
        assert len(result.stderr) < 20_000
    assert not home.state.exists(), "a bad file must not start a server"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["run", "-f", "typed.yaml", "-P", "epochs"], "="),
        (["run", "-f", "typed.yaml", "-P", "epochs=1", "-P", "epochs=2"], "epochs"),
        (["run", "-f", "typed.yaml"], "epochs"),
        (["run", "-f", "typed.yaml", "-P", "epochs=many"], "many"),
        (["run", "-f", "no-such-file.yaml"], "no-such-file.yaml"),
        (["run", "--wacht", "-f", "typed.yaml"], "--watch"),
        (["rnu"], "run"),
        (["run", "--hub", "tensorbord"], "tensorboard"),
        (["run", "--url", "not an address"], "not an address"),
        (["run", "--url", "ftp://127.0.0.1/x.yaml"], "ftp"),
    ],
)
def test_bad_arguments(home, arguments, expected):
    result = home.polyaxon(*arguments, cwd=ROOT / "examples" / "quick-start", code=2)
    assert expected in result.stderr
    assert not home.state.exists()


def test_a_run_without_a_file(home):
    result = home.polyaxon("run", code=2)
    assert "-f" in result.stderr


def test_an_unknown_project_is_reported(home):
    result = home.polyaxon("ops", "ls", "-p", "no-such-project", code=3)
    assert "no-such-project" in result.stderr


def test_an_unknown_run_is_reported(home):
    home.shell("true")
    result = home.polyaxon("ops", "get", "-uid", "ffffffffffffffffffffffffffffffff", code=3)
    assert "ffffffff" in result.stderr


class Web(http.server.BaseHTTPRequestHandler):
    """Answers that no component should give."""

    def do_GET(self):
        if self.path == "/loop":
            self.send_response(302)
            self.send_header("Location", "/loop")
            self.end_headers()
        elif self.path == "/page":
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!DOCTYPE html><html><body>Please log in</body></html>")
        elif self.path == "/endless":
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"# more\n" * 10_000)
            except OSError:
                pass
        else:
            self.send_error(404)

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def web():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Web)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


@pytest.mark.parametrize(
    ("path", "expected"), [("/loop", "redirect"), ("/page", "HTML"), ("/endless", "MB"), ("/missing", "404")]
)
def test_an_address_with_a_bad_answer(home, web, path, expected):
    result = home.polyaxon("run", "--url", web + path, code=None, timeout=60)
    assert result.returncode not in (0, 101)
    assert path in result.stderr
    assert expected.lower() in result.stderr.lower()
    assert not home.state.exists()


def test_an_address_that_never_answers(home):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        result = home.polyaxon("run", "--url", f"http://127.0.0.1:{port}/x.yaml", code=None, timeout=90)
    assert result.returncode not in (0, 101)
    assert str(port) in result.stderr
