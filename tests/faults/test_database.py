"""The records live in PostgreSQL: its connections end in the middle of traffic, and two servers share it."""

import concurrent.futures
import http.client
import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest
from postgres import SERVER, Database, sql
from support import Home, is_alive, wait_until

pytestmark = pytest.mark.skipif(not SERVER, reason="POLYAXON_TEST_POSTGRES names no server")


@pytest.fixture
def database():
    database = Database()
    yield database
    database.drop()


@pytest.fixture
def homes(tmp_path):
    """Makes homes; their servers end before the database is dropped."""
    made = []

    def make():
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(Home(folder))
        return made[-1]

    yield make
    for home in made:
        home.close()


def serve(home, database, *options):
    home.polyaxon("server", "start", "--no-agent", *options, POLYAXON_DATABASE_URL=database.url)
    return home.url()


def call(method, url, body=None, timeout=30):
    """The status, the body and the headers of an answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            return response.status, json.load(response), response.headers
    except urllib.error.HTTPError as error:
        text = error.read()
        try:
            return error.code, json.loads(text), error.headers
        except ValueError:
            return error.code, text.decode(), error.headers


def create(url, name, timeout=30):
    component = {"kind": "component", "run": {"kind": "job", "container": {"image": "none"}}}
    body = {"name": name, "content": json.dumps({"kind": "operation", "component": component})}
    return call("POST", f"{url}/api/v1/default/p/runs", body, timeout)


def post_status(url, run, status):
    condition = {"condition": {"type": status, "status": True, "reason": "Test", "message": "posted"}}
    return call("POST", f"{url}/api/v1/default/p/runs/{run}/statuses", condition)


def names(url):
    found, offset = [], 0
    while True:
        status, page, _ = call("GET", f"{url}/api/v1/default/p/runs?limit=100&offset={offset}&sort=created_at")
        assert status == 200, page
        found += [run["name"] for run in page["results"]]
        offset += 100
        if not page["results"]:
            return found


def test_a_run_lives_in_postgres(homes, database):
    home = homes()
    url = serve(home, database)
    assert call("POST", f"{url}/api/v1/default/projects/create", {"name": "p"})[0] in (200, 201)
    status, run, _ = create(url, "train")
    assert status in (200, 201), run
    for posted in ["running", "succeeded"]:
        assert post_status(url, run["uuid"], posted)[0] in (200, 201)
    status, page, _ = call("GET", f"{url}/api/v1/default/p/runs?query=status:succeeded,name:tr%25&sort=-created_at")
    assert (status, [found["uuid"] for found in page["results"]]) == (200, [run["uuid"]])
    assert sql("SELECT status FROM runs", database.url) == "succeeded"
    assert not (home.state / "polyaxon.db").exists()
    shown = home.polyaxon("server", "status").stdout + (home.state / "server.log").read_text()
    password = urllib.parse.urlsplit(SERVER).password
    assert database.name in shown and (not password or password not in shown)
    # The next server of this database finds everything.
    home.polyaxon("server", "stop")
    assert call("GET", f"{serve(home, database)}/api/v1/default/p/runs/{run['uuid']}")[1]["name"] == "train"


def test_nothing_that_was_acknowledged_is_lost_when_connections_end(homes, database):
    home = homes()
    url = serve(home, database)
    call("POST", f"{url}/api/v1/default/projects/create", {"name": "p"})
    pid, acknowledged, refused = home.server()["pid"], [], []
    done = threading.Event()

    def write(writer):
        number = 0
        while not done.is_set():
            name = f"w{writer}-{number}"
            status, body, headers = create(url, name)
            number += 1
            if status in (200, 201):
                acknowledged.append(name)
            else:
                refused.append((status, body, headers.get("Retry-After")))

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(write, writer) for writer in range(4)]
        for _ in range(8):
            time.sleep(0.15)
            database.end_connections()
        database.allow_connections("FALSE")
        database.end_connections()
        time.sleep(0.5)
        start = time.monotonic()
        status, body, headers = create(url, "while-away")
        assert (status, headers["Retry-After"]) == (503, "1"), body
        assert "detail" in body and time.monotonic() - start < 2
        database.allow_connections("TRUE")
        before = len(acknowledged)
        wait_until(lambda: len(acknowledged) > before + 20, what="writing again")
        done.set()
        for writer in writers:
            writer.result()
    assert home.server()["pid"] == pid and is_alive(pid)
    assert {status for status, _, _ in refused} <= {503}, refused[:3]
    assert set(acknowledged) <= set(names(url))


def test_two_servers_share_a_database(homes, database):
    urls = []
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        urls = list(pool.map(lambda home: serve(home, database), [homes(), homes()]))
    one, other = urls
    call("POST", f"{one}/api/v1/default/projects/create", {"name": "p"})
    _, run, _ = create(one, "shared")
    assert call("GET", f"{other}/api/v1/default/p/runs/{run['uuid']}")[1]["name"] == "shared"

    # A follower at the other server is told at once, not at its next look.
    address = urllib.parse.urlsplit(other)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
    connection.request("GET", f"/api/v1/default/p/runs/{run['uuid']}/statuses/follow")
    followed = connection.getresponse()
    seen = {}

    def read():
        for line in followed:
            if line.strip():
                seen.setdefault(json.loads(line).get("type"), time.monotonic())

    reader = threading.Thread(target=read)
    reader.start()
    wait_until(lambda: seen, what="the first condition")
    for status in ["starting", "running", "succeeded"]:
        posted = time.monotonic()
        assert post_status(one, run["uuid"], status)[0] in (200, 201)
        wait_until(lambda: status in seen, what=status)
        assert seen[status] - posted < 1, (status, seen[status] - posted)
    reader.join(timeout=10)


def test_a_database_that_is_not_there_is_explained(homes):
    home = homes()
    result = home.polyaxon("server", "--database", "postgres://ann:s3cret@127.0.0.1:1/ml", code=6, timeout=30)
    assert "postgres://ann@127.0.0.1:1/ml" in result.stderr and "refused" in result.stderr, result.stderr
    assert "start the database server" in result.stderr and "s3cret" not in result.stderr
