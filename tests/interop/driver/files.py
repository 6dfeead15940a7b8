"""How tests put files, metrics and logs of a run on the server."""

import datetime
import io
import json
import tarfile

from .session import HTTP, need, surl


def put_file(rc, path, name, data, want=200, overwrite=True):
    """multipart upload of one file, the way the official client does it"""
    return _post_file(rc, "artifact", name, data, {"untar": False, "path": path, "overwrite": overwrite}, want)


def _post_file(rc, sub, name, data, meta, want):
    r = HTTP.post(surl(rc, sub), files={"upload_file": (name, data)}, data={"json": json.dumps(meta)}, timeout=60)
    wants = want if isinstance(want, (tuple, list, set)) else (want,)
    need(r.status_code in wants, "upload %s -> %s %s" % (sub, r.status_code, r.text[:200]))
    return r


def put_tar(rc, path, files, want=200, **opts):
    buf = io.BytesIO()
    with tarfile.open(fileobj=buf, mode="w:gz") as t:
        for n, c in files.items():
            info = tarfile.TarInfo(n)
            info.size = len(c)
            t.addfile(info, io.BytesIO(c))
    return _post_file(
        rc,
        "artifacts",
        "pkg.tar.gz",
        buf.getvalue(),
        dict({"untar": True, "path": path, "overwrite": True}, **opts),
        want,
    )


def metric_csv(values, start="2026-01-01T00:00:00"):
    t0 = datetime.datetime.fromisoformat(start + "+00:00")
    lines = ["timestamp|step|metric"]
    for i, v in enumerate(values):
        lines.append("%s|%d|%s" % ((t0 + datetime.timedelta(seconds=i)).isoformat(), i, v))
    return ("\n".join(lines) + "\n").encode()


def log_lines(n, pod="pod-0", start="2026-01-01T00:00:00.000001", text="line"):
    t0 = datetime.datetime.fromisoformat(start + "+00:00")
    out = []
    for i in range(n):
        out.append(
            json.dumps(
                {
                    "timestamp": (t0 + datetime.timedelta(seconds=i)).isoformat(),
                    "node": "node-a",
                    "pod": pod,
                    "container": "polyaxon-main",
                    "value": "%s %d" % (text, i),
                }
            )
        )
    return ("\n".join(out) + "\n").encode()


def with_logs(rc, **files):
    for n, data in files.items():
        put_file(rc, "plxlogs", n + ".jsonl", data)
    return rc
