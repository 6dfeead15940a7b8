"""Files of a run: up, down, archives, listings."""

import io
import os
import tarfile

from ..session import check, eq, fresh_dir, has, http, js, need, project, surl, user_run, write
from ..files import _post_file, put_file, put_tar


@check("artifacts")
def artifact_upload_and_read_text():
    rc = user_run(project())
    f = write(os.path.join(fresh_dir(), "a.txt"), "hello")
    eq(rc.upload_artifact(f, path="outputs").status_code, 200)
    got = rc.get_artifact("outputs/a.txt")
    eq(got.decode() if isinstance(got, bytes) else got, "hello")


@check("artifacts")
def artifact_tree():
    rc = user_run(project())
    put_file(rc, "outputs", "a.txt", b"12345")
    put_file(rc, "", "b.bin", b"1")
    put_file(rc, "outputs/sub", "c.txt", b"22")
    t = rc.get_artifacts_tree()
    eq((t.files, sorted(t.dirs)), ({"b.bin": 1}, ["outputs"]))
    t = rc.get_artifacts_tree("outputs")
    eq((t.files, t.dirs), ({"a.txt": 5}, ["sub"]))
    d = js("GET", surl(rc, "artifacts/tree"), query={"path": "missing"})
    eq((d["files"], d["dirs"]), ({}, []))


@check("artifacts")
def artifact_download_headers():
    rc = user_run(project())
    put_file(rc, "outputs", "a.txt", b"hello")
    for url, q in (
        (surl(rc, "artifact"), {"path": "outputs/a.txt"}),
        (surl(rc, "artifact"), {"path": "outputs/a.txt", "stream": "true"}),
        (surl(rc, "embedded_artifact"), {"path": "outputs/a.txt"}),
        (surl(rc, "ro_artifact/outputs/a.txt"), None),
    ):
        r = http("GET", url, 200, query=q)
        eq(r.content, b"hello", url)
        has(r.headers.get("content-disposition", ""), "a.txt", "content-disposition")
        need(r.headers["content-type"].startswith("text/plain"), r.headers["content-type"])
        eq(r.headers.get("content-length"), "5")


@check("artifacts")
def artifact_download_errors():
    rc = user_run(project())
    http("GET", surl(rc, "artifact"), 400)
    http("GET", surl(rc, "artifact"), 400, query={"path": "../../etc/passwd"})
    http("GET", surl(rc, "artifact"), 404, query={"path": "missing.txt"})
    http("GET", surl(rc, "artifacts"), 404, query={"path": "missing"})


@check("artifacts")
def artifact_download_file_with_client():
    rc = user_run(project())
    data = os.urandom(200_000)
    put_file(rc, "outputs", "w.bin", data)
    d = fresh_dir()
    p = rc.download_artifact("outputs/w.bin", path_to=d)
    need(open(p, "rb").read() == data, "content differs")


@check("artifacts")
def artifacts_upload_dir_and_download_tar():
    rc = user_run(project())
    src = fresh_dir()
    write(os.path.join(src, "x/1.txt"), "one")
    write(os.path.join(src, "x/y/2.txt"), "two")
    rc.upload_artifacts_dir(src, path="data", relative_to=src)
    eq(rc.get_artifacts_tree("data/x").files, {"1.txt": 3})
    out = fresh_dir()
    rc.download_artifacts(path="data", path_to=out)
    found = sorted(os.path.relpath(os.path.join(b, f), out) for b, _, fs in os.walk(out) for f in fs)
    need(any(f.endswith("x/y/2.txt") for f in found), found)


@check("artifacts")
def artifacts_tar_layout():
    rc = user_run(project())
    put_tar(rc, "data", {"x/1.txt": b"1", "y.txt": b"2"})
    r = http("GET", surl(rc, "artifacts"), 200, query={"path": "data"})
    has(r.headers["content-disposition"], "data.tar.gz")
    eq(sorted(tarfile.open(fileobj=io.BytesIO(r.content)).getnames()), ["x/1.txt", "y.txt"])
    r = http("GET", surl(rc, "artifacts"), 200)
    has(r.headers["content-disposition"], rc.run_uuid + ".tar.gz")
    eq(sorted(tarfile.open(fileobj=io.BytesIO(r.content)).getnames()), ["data/x/1.txt", "data/y.txt"])


@check("artifacts")
def artifact_overwrite_flag():
    rc = user_run(project())
    put = lambda data, ow: _post_file(
        rc, "artifact", "a.txt", data, {"untar": False, "path": "o", "overwrite": ow}, 200
    )  # noqa: E731
    put(b"one", True)
    put(b"two", False)
    eq(http("GET", surl(rc, "artifact"), 200, query={"path": "o/a.txt", "force": "true"}).content, b"one")
    put(b"three", True)
    eq(http("GET", surl(rc, "artifact"), 200, query={"path": "o/a.txt", "force": "true"}).content, b"three")


@check("artifacts")
def artifact_force_skips_the_cache():
    rc = user_run(project())
    put_file(rc, "o", "a.txt", b"one")
    http("GET", surl(rc, "artifact"), 200, query={"path": "o/a.txt"})
    put_file(rc, "o", "a.txt", b"two")
    eq(http("GET", surl(rc, "artifact"), 200, query={"path": "o/a.txt", "force": "true"}).content, b"two")


@check("artifacts")
def artifact_delete():
    rc = user_run(project())
    put_file(rc, "o", "a.txt", b"1")
    put_file(rc, "o/p", "b.txt", b"1")
    rc.delete_artifact("o/a.txt")
    eq(js("GET", surl(rc, "artifacts/tree"), query={"path": "o"}), {"files": {}, "dirs": ["p"]})
    rc.delete_artifacts("o/p")
    eq(js("GET", surl(rc, "artifacts/tree"), query={"path": "o"})["dirs"], [])


@check("artifacts")
def artifact_large_and_binary_names():
    rc = user_run(project())
    data = os.urandom(5 * 1024 * 1024)
    put_file(rc, "outputs/a b", "big model-1.bin", data)
    need(
        http("GET", surl(rc, "artifact"), 200, query={"path": "outputs/a b/big model-1.bin"}).content == data,
        "content differs",
    )


@check("artifacts")
def artifact_lineage_download():
    rc = user_run(project())
    put_file(rc, "outputs", "m.bin", b"weights")
    rc.log_artifact_lineage(
        {"name": "m", "kind": "file", "path": "outputs/m.bin", "summary": {}, "is_input": False}, async_req=False
    )
    d = fresh_dir()
    p = rc.download_artifact_for_lineage(rc.get_artifacts_lineage().results[0], path_to=d)
    eq(open(p, "rb").read(), b"weights")
