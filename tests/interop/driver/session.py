"""The server under test, the environment of the official client, and what every check is written with.

Import this before the official client: that one reads its configuration when it is imported.
"""

import datetime
import os
import random
import re
import string
import sys
import tempfile
import time

HOST = os.environ.get("POLYAXON_HOST", "").rstrip("/")
if not HOST:
    sys.exit("set POLYAXON_HOST, e.g. http://127.0.0.1:8000")
WORK = tempfile.mkdtemp(prefix="interop-")
ENV = {
    "POLYAXON_HOST": HOST,
    "HOME": os.path.join(WORK, "home"),
    "POLYAXON_HOME": os.path.join(WORK, "home"),
    "POLYAXON_ARCHIVES_ROOT": os.path.join(WORK, "archives"),
    "POLYAXON_ARTIFACTS_ROOT": os.path.join(WORK, "artifacts"),
    "POLYAXON_OFFLINE_ROOT": os.path.join(WORK, "offline"),
    "POLYAXON_CONTEXT_ROOT": os.path.join(WORK, "context"),
    "POLYAXON_INTERVALS_COMPATIBILITY_CHECK": "-1",
    "POLYAXON_WATCH_INTERVAL": "1",
    "POLYAXON_TRACKING_FLUSH_DELAY": "1",
    "MPLBACKEND": "Agg",
    "COLUMNS": "200",
    "PYTHONWARNINGS": "ignore",
}
for _name in [name for name in os.environ if name.startswith("POLYAXON_") and name not in ENV]:
    del os.environ[_name]
os.environ.update(ENV)
for _folder in ("home", "archives", "artifacts", "offline", "context"):
    os.makedirs(os.path.join(WORK, _folder), exist_ok=True)

import requests  # noqa: E402
from polyaxon.client import ProjectClient, RunClient  # noqa: E402
from polyaxon.exceptions import ApiException  # noqa: E402

OWNER = "default"
API = HOST + "/api/v1"
OWN = API + "/" + OWNER
HTTP = requests.Session()
UI = {"X-Polyaxon-Service": "ui"}
HEX32 = re.compile(r"^[0-9a-f]{32}$")
ISO = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$")
CHECKS = []


class Failed(Exception):
    pass


def need(cond, why=""):
    if not cond:
        raise Failed(why or "condition not met")


def eq(got, want, what="value"):
    if got != want:
        raise Failed("%s: got %r, want %r" % (what, got, want))


def has(container, item, what="value"):
    if item not in container:
        raise Failed("%s: %r not in %s" % (what, item, str(container)[:400]))


def check(group, strict=False):
    def deco(fn):
        CHECKS.append((group, fn.__name__, fn, strict))
        return fn

    return deco


def val(x):
    """value of an enum member or of a plain string"""
    return getattr(x, "value", x)


NAMES = []


def rnd(prefix="p"):
    NAMES.append(prefix + "-" + "".join(random.choice(string.ascii_lowercase + string.digits) for _ in range(10)))
    return NAMES[-1]


def http(method, url, want=None, body=None, query=None, headers=None, **kw):
    r = HTTP.request(
        method,
        url if url.startswith("http") else HOST + url,
        json=body,
        params=query,
        headers=headers,
        timeout=60,
        **kw
    )
    if want is not None:
        wants = want if isinstance(want, (tuple, list, set)) else (want,)
        if r.status_code not in wants:
            raise Failed("%s %s -> %s %s, want %s" % (method, url.replace(HOST, ""), r.status_code, r.text[:300], want))
    return r


def js(method, url, want=200, **kw):
    return http(method, url, want, **kw).json()


def fails(status, fn, *a, **kw):
    """call fn, expect an ApiException with the given status"""
    wants = status if isinstance(status, (tuple, list, set)) else (status,)
    try:
        fn(*a, **kw)
    except ApiException as e:
        need(e.status in wants, "status %s, want %s" % (e.status, status))
        return e
    raise Failed("no error raised, want status %s" % (status,))


def until(fn, timeout=15.0, every=0.2, what="condition"):
    end = time.time() + timeout
    last = None
    while time.time() < end:
        last = fn()
        if last:
            return last
        time.sleep(every)
    raise Failed("timeout waiting for %s (last: %r)" % (what, last))


def project(name=None, **data):
    name = name or rnd()
    pc = ProjectClient(owner=OWNER, project=name)
    pc.create(dict({"name": name}, **data))
    return pc


def purl(pc):
    return OWN + "/" + pc.project


def rurl(rc):
    return OWN + "/" + rc.project + "/runs/" + rc.run_uuid


def surl(rc, sub, namespace="polyaxon"):
    return "%s/streams/v1/%s/%s/%s/runs/%s/%s" % (HOST, namespace, OWNER, rc.project, rc.run_uuid, sub)


def run_client(pc, uid=None):
    name = pc if isinstance(pc, str) else pc.project
    return RunClient(owner=OWNER, project=name, run_uuid=uid)


def user_run(pc, **kw):
    """a run that the user manages (no spec)"""
    rc = run_client(pc)
    rc._run_uuid = None
    rc.create(**kw)
    return rc


COMPONENT = {
    "version": 1.1,
    "kind": "component",
    "name": "echo",
    "inputs": [{"name": "lr", "type": "float", "isOptional": True, "value": 0.1}, {"name": "msg", "type": "str"}],
    "run": {"kind": "job", "container": {"image": "busybox", "command": ["sh", "-c"], "args": ["echo {{ msg }}"]}},
}


def operation(**kw):
    op = {
        "version": 1.1,
        "kind": "operation",
        "name": "echo-op",
        "params": {"msg": {"value": "hi"}},
        "component": COMPONENT,
    }
    op.update(kw)
    return op


def managed_run(pc, spec=None, **kw):
    rc = run_client(pc)
    rc._run_uuid = None
    rc.create(content=spec if spec is not None else operation(), **kw)
    return rc


def get(rc):
    return js("GET", rurl(rc))


def status_of(rc):
    return js("GET", rurl(rc) + "/statuses")["status"]


def wait_status(rc, *statuses, timeout=20):
    return until(
        lambda: (lambda s: s if s in statuses else None)(status_of(rc)),
        timeout,
        what="status in %s of %s" % (statuses, rc.run_uuid),
    )


def set_status(rc, status, **kw):
    cond = dict({"type": status, "status": True}, **kw)
    http("POST", rurl(rc) + "/statuses", (200, 201), body={"condition": cond})


def finish(rc, status="succeeded"):
    set_status(rc, "running")
    set_status(rc, status)


def utc(delta=0.0, fmt=None):
    t = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=delta)
    return t.strftime(fmt) if fmt else t.isoformat().replace("+00:00", "Z")


def names(listing):
    return [r["name"] for r in listing["results"]]


def fresh_dir():
    return tempfile.mkdtemp(dir=WORK)


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    return path
