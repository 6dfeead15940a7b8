"""Peers that are slow, gone, or many: the server answers the others, and holds on to nothing."""

import concurrent.futures
import io
import json
import os
import pathlib
import socket
import struct
import tarfile
import time
import urllib.error
import urllib.request
import uuid
import zlib

import pytest
from support import wait_until

MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def server(make_home):
    home = make_home()
    home.polyaxon("server", "start", "--no-agent")
    home.polyaxon("project", "create", "--name", "p")
    return home


def call(home, method, path, body=None, kind="application/json"):
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(home.url() + path, data, {"Content-Type": kind}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def create(home, **fields):
    status, body = call(home, "POST", "/api/v1/default/p/runs", {"is_managed": False, **fields})
    assert status == 201, body
    return json.loads(body)["uuid"]


def files(run):
    return f"/streams/v1/polyaxon/default/p/runs/{run}"


def upload(home, run, place, name, content, **options):
    boundary = uuid.uuid4().hex
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="json"\r\n\r\n{json.dumps(options)}\r\n--{boundary}\r\n'
    head += f'Content-Disposition: form-data; name="upload_file"; filename="{name}"\r\n\r\n'
    body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return call(home, "POST", f"{files(run)}/{place}", body, f"multipart/form-data; boundary={boundary}")


def memory(home):
    """Resident memory of the server, in bytes."""
    return int(pathlib.Path(f"/proc/{home.server()['pid']}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def descriptors(home):
    return len(os.listdir(f"/proc/{home.server()['pid']}/fd"))


def connect(home):
    return socket.create_connection(("127.0.0.1", home.server()["port"]), timeout=30)


def quick(home):
    """Answers others at once."""
    start = time.monotonic()
    assert call(home, "GET", "/api/v1/default/p/runs?limit=1")[0] == 200
    return time.monotonic() - start < 2


def test_merges_from_32_threads_keep_every_key(server):
    run = create(server)

    def merge(number):
        return call(server, "PATCH", f"/api/v1/default/p/runs/{run}", {"outputs": {f"k{number}": number}, "merge": True})[0]

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        assert set(pool.map(merge, range(320))) == {200}
    outputs = json.loads(call(server, "GET", f"/api/v1/default/p/runs/{run}")[1])["outputs"]
    assert outputs == {f"k{number}": number for number in range(320)}


def test_peers_that_never_finish_a_request_do_not_stop_others(server):
    before = descriptors(server)
    head = b"POST /api/v1/default/p/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    slow = [connect(server) for _ in range(300)]
    for number, peer in enumerate(slow):
        peer.sendall(head[: number % len(head)] if number % 2 else head + b"Content-Length: 100000\r\n\r\n{")
    assert quick(server)
    for peer in slow:
        peer.close()
    wait_until(lambda: descriptors(server) <= before + 5, what="the end of the connections")


def test_a_peer_that_does_not_read_holds_no_file_in_memory(server):
    run = create(server)
    assert upload(server, run, "artifact", "big", os.urandom(64 * MEGABYTE), path="", overwrite=True)[0] == 200
    before, files_open = memory(server), descriptors(server)
    peers = [connect(server) for _ in range(20)]
    for peer in peers:
        peer.sendall(f"GET {files(run)}/artifact?path=big HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert peer.recv(100).startswith(b"HTTP/1.1 200")
    time.sleep(0.5)
    assert quick(server)
    assert memory(server) - before < 64 * MEGABYTE, (before, memory(server))
    for peer in peers:
        # Ends the connection with a reset, in the middle of the file.
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
    wait_until(lambda: descriptors(server) <= files_open + 5, what="the end of the connections")


def test_a_peer_that_has_closed_its_side_is_let_go(server):
    """Also when it only waits for lines of a log that never come."""
    run = create(server)
    peers = [connect(server) for _ in range(50)]
    for peer in peers:
        peer.sendall(f"GET {files(run)}/logs/follow HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert peer.recv(1000).startswith(b"HTTP/1.1 200")
        peer.shutdown(socket.SHUT_WR)
    for peer in peers:
        while peer.recv(1000):
            pass
        peer.close()


def test_an_upload_that_breaks_off_leaves_no_file(server):
    run = create(server)
    with connect(server) as peer:
        part = b'--b\r\nContent-Disposition: form-data; name="upload_file"; filename="half"\r\n\r\n' + b"x" * 100_000
        head = f"POST {files(run)}/artifact HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n"
        peer.sendall(head.encode() + b"Content-Type: multipart/form-data; boundary=b\r\n\r\n" + part)
    time.sleep(0.3)
    assert json.loads(call(server, "GET", f"{files(run)}/artifacts/tree")[1])["files"] == {}
    left = [path for path in server.state.glob(f"artifacts/{uuid.UUID(run)}/**/*") if path.is_file()]
    left += [path for path in server.state.glob(f"artifacts/{run}/**/*") if path.is_file()]
    assert left == []


def bomb(size):
    """The begin of a compressed archive of one file of zeros; the server has to refuse it before it unpacks them all."""
    info = tarfile.TarInfo("zeros")
    info.size = size
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    pieces = [squeeze.compress(info.tobuf())]
    block = b"\0" * MEGABYTE
    pieces += [squeeze.compress(block) for _ in range(64)]
    return b"".join([*pieces, squeeze.flush()])


def archive(*members):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        for name, kind, target, size in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.size = kind, target, size
            tar.addfile(info, io.BytesIO(b"x" * size))
    return data.getvalue()


HOSTILE = {
    "up": archive(("../../escaped", tarfile.REGTYPE, "", 1)),
    "absolute": archive(("/tmp/polyaxon-escaped", tarfile.REGTYPE, "", 1)),
    "link out": archive(("link", tarfile.SYMTYPE, "/etc", 0), ("link/polyaxon-escaped", tarfile.REGTYPE, "", 1)),
    "hard link": archive(("link", tarfile.LNKTYPE, "/etc/passwd", 0)),
    "device": archive(("device", tarfile.CHRTYPE, "", 0)),
    "truncated": archive(("file", tarfile.REGTYPE, "", 100_000))[:-50],
    "empty": b"",
    "no archive": b"\x1f\x8b" + os.urandom(1000),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_archives_are_refused(server, name):
    run = create(server)
    status, body = upload(server, run, "artifacts", "a.tar.gz", HOSTILE[name], path="outputs", untar=True)
    assert 400 <= status < 500, (status, body)
    assert not pathlib.Path("/tmp/polyaxon-escaped").exists() and not pathlib.Path("/etc/polyaxon-escaped").exists()
    assert not list(server.path.rglob("escaped"))


def test_an_archive_bomb_is_refused_and_leaves_nothing(server):
    run = create(server)
    before = memory(server)
    status, body = upload(server, run, "artifacts", "a.tar.gz", bomb(6000 * MEGABYTE), path="outputs", untar=True)
    assert 400 <= status < 500, (status, body)
    assert memory(server) - before < 64 * MEGABYTE
    assert sum(path.stat().st_size for path in server.state.rglob("zeros")) == 0
