"""The server is killed, started twice, has no port, no home: nothing is lost and nothing hangs."""

import concurrent.futures
import json
import os
import socket
import subprocess
import time

import pytest
from support import is_alive, wait_until

COUNTER = "i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo line $i; sleep 0.05; done"


def test_a_job_survives_the_death_of_the_server(home):
    run = home.shell(COUNTER)
    home.wait(run, status="running")
    old = home.server()["pid"]
    home.kill_server()
    time.sleep(0.5)
    # Any command starts a new server, which takes over the running job.
    home.polyaxon("ops", "ls", "-p", run["project"])
    assert home.server()["pid"] != old
    assert home.wait(run)["status"] == "succeeded"
    assert home.logs(run) == [f"line {i}" for i in range(1, 41)]
    types = [condition["type"] for condition in home.conditions(run)]
    assert len(types) == len(set(types)), types
    assert types[-1] == "succeeded"


def test_a_job_that_ends_while_no_server_runs_keeps_its_result(home):
    run = home.shell("echo before; sleep 0.5; echo after; exit 3")
    home.wait(run, status="running")
    home.kill_server()
    time.sleep(1.5)
    home.polyaxon("server", "start")
    ended = home.wait(run)
    assert ended["status"] == "failed"
    assert home.logs(run) == ["before", "after"]
    assert "3" in json.dumps(home.conditions(run)[-1])


def test_killing_the_server_again_and_again_loses_nothing(home):
    runs = [home.shell(COUNTER) for _ in range(4)]
    for _ in range(5):
        home.kill_server()
        home.polyaxon("server", "start")
        time.sleep(0.2)
    for run in runs:
        assert home.wait(run)["status"] == "succeeded"
        assert home.logs(run) == [f"line {i}" for i in range(1, 41)]


def test_ten_runs_at_once_on_an_empty_home_start_one_server(home):
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        runs = list(pool.map(lambda i: home.shell(f"echo {i}"), range(10)))
    assert len({run["uuid"] for run in runs}) == 10
    for index, run in enumerate(runs):
        assert home.wait(run)["status"] == "succeeded"
        assert home.logs(run) == [str(index)]
    listening = (home.state / "server.log").read_text().count("listening")
    assert listening <= 1, (home.state / "server.log").read_text()


def test_a_second_server_on_one_home_is_refused(home):
    home.polyaxon("server", "start")
    pid = home.server()["pid"]
    result = home.polyaxon("server", "--port", "0", code=None, timeout=20)
    assert result.returncode not in (0, None)
    assert str(pid) in result.stderr
    # Asking again for a background server is no mistake.
    home.polyaxon("server", "start")
    assert home.server()["pid"] == pid


def test_start_status_stop(home):
    assert home.polyaxon("server", "status", code=None).returncode != 0
    home.polyaxon("server", "start")
    server = home.server()
    assert str(server["pid"]) in home.polyaxon("server", "status").stdout
    home.polyaxon("server", "stop")
    wait_until(lambda: not is_alive(server["pid"]), what="the end of the server")


def test_a_taken_port_is_reported(home):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = home.polyaxon("server", "--port", port, code=None, timeout=20)
    assert result.returncode != 0
    assert str(port) in result.stderr
    assert "in use" in result.stderr or "taken" in result.stderr


def test_the_background_server_takes_the_next_port(home):
    with socket.socket() as other:
        # A connection of an earlier server may linger on the port.
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            other.bind(("127.0.0.1", 8000))
            other.listen()
        except OSError:
            pass  # Something else has it already, which is as good.
        run = home.shell('echo "$POLYAXON_HOST"')
        assert home.wait(run)["status"] == "succeeded"
        assert home.server()["port"] != 8000
        assert home.logs(run) == [home.url()]


def test_stopping_the_server_leaves_jobs_running(home):
    run = home.shell(COUNTER)
    home.wait(run, status="running")
    home.polyaxon("server", "stop")
    home.polyaxon("server", "start")
    assert home.wait(run)["status"] == "succeeded"
    assert home.logs(run) == [f"line {i}" for i in range(1, 41)]


def test_a_home_that_is_a_file_is_reported(home):
    file = home.work / "file"
    file.write_text("")
    result = home.polyaxon("run", "--image", "none", "--cmd", "true", code=None, POLYAXON_HOME=str(file))
    assert result.returncode not in (0, 101)
    assert str(file) in result.stderr


def test_a_read_only_home_is_reported(home):
    if os.geteuid() == 0:
        locked = "/proc/self/home"  # Root may write everywhere but here.
    else:
        home.path.chmod(0o500)
        locked = str(home.path)
    try:
        result = home.polyaxon("run", "--image", "none", "--cmd", "true", code=None, POLYAXON_HOME=locked)
    finally:
        home.path.chmod(0o700)
    assert result.returncode not in (0, 101)
    assert locked in result.stderr


def test_an_unreachable_server_is_reported_quickly(home):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start = time.monotonic()
    result = home.polyaxon("ops", "ls", code=6, POLYAXON_HOST=f"http://127.0.0.1:{port}")
    assert str(port) in result.stderr
    assert time.monotonic() - start < 5
    assert not home.state.exists(), "a configured host must not start a local server"


def test_the_server_survives_garbage_on_its_port(home):
    home.polyaxon("server", "start")
    for garbage in [b"\x00" * 1000, b"GET / HTTP/9.9\r\n\r\n", b"POST /api/v1/default/x/runs HTTP/1.1\r\nHost: x\r\n\r\n{"]:
        with socket.create_connection(("127.0.0.1", home.server()["port"]), timeout=5) as connection:
            connection.sendall(garbage)
    home.polyaxon("ops", "ls", code=None)
    home.polyaxon("server", "status")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_while_logging(home):
    """The job runs on; what it wrote meanwhile is counted; its end is reported when there is space again."""
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(home.path)], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        ballast = home.path / "ballast"
        ballast.write_bytes(b"x" * 3_000_000)
        ended = home.work / "ended"
        run = home.shell(f"head -c 20000000 /dev/zero | tr '\\0' x; touch '{ended}'")
        wait_until(ended.exists, what="the end of the job")
        ballast.unlink()
        assert home.wait(run)["status"] == "succeeded"
        assert "output were lost" in json.dumps(home.conditions(run))
    finally:
        home.close()
        subprocess.run(["umount", "-l", str(home.path)], check=False)
