"""Five runs with known attributes, and queries on them."""

import datetime
import functools
import uuid

from .session import http, js, need, project, purl, run_client, UI, utc

from polyaxon.exceptions import ApiException


def offline_run(pc, **kw):
    body = {"uuid": uuid.uuid4().hex, "kind": "job", "runtime": "job", "is_managed": False, "created_at": utc()}
    body.update(kw)
    http("POST", purl(pc) + "/runs/sync", (200, 201), body=body)
    return run_client(pc, body["uuid"])


@functools.lru_cache(maxsize=None)
def pql_dataset():
    """five runs with known attributes, shared by the query checks"""
    pc = project()
    day = lambda d, h=0, m=0: (
        datetime.datetime.now(datetime.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)  # noqa: E731
        - datetime.timedelta(days=d)
        + datetime.timedelta(hours=h, minutes=m)
    )
    iso = lambda t: t.isoformat().replace("+00:00", "Z")  # noqa: E731
    rows = [
        dict(
            name="alpha",
            tags=["t1", "t2"],
            status="succeeded",
            created_at=iso(day(4, 10)),
            started_at=iso(day(4, 10)),
            finished_at=iso(day(4, 11)),
            duration=50,
            wait_time=10,
            inputs={"lr": 0.1, "opt": "adam", "bs": 32},
            outputs={"loss": 0.1, "acc": 0.9, "s": "x"},
            meta_info={"flag": True, "n": 3},
            description="first run",
        ),
        dict(
            name="beta",
            tags=["t2"],
            status="failed",
            created_at=iso(day(4, 11, 30)),
            started_at=iso(day(4, 11, 30)),
            finished_at=iso(day(4, 12)),
            duration=40,
            wait_time=5,
            inputs={"lr": 0.2, "opt": "sgd", "bs": 64},
            outputs={"loss": 0.5, "acc": 0.5},
            meta_info={"flag": False, "n": 5},
        ),
        dict(
            name="gamma-1",
            tags=["t3"],
            status="running",
            created_at=iso(day(3, 10)),
            started_at=iso(day(3, 10)),
            inputs={"lr": 0.3, "opt": "adam"},
            outputs={"loss": 0.05},
            meta_info={},
        ),
        dict(name="gamma-2", status="created", created_at=iso(day(1, 8)), kind="service", runtime="service"),
        dict(
            name="old", tags=["t1"], status="succeeded", created_at=iso(day(80)), inputs={"lr": 1}, outputs={"loss": 9}
        ),
    ]
    uids = {}
    for r in rows:
        uids[r["name"]] = offline_run(pc, **r).run_uuid
    return (
        pc,
        uids,
        {
            "d4": day(4).strftime("%Y-%m-%d"),
            "d3": day(3).strftime("%Y-%m-%d"),
            "d1": day(1).strftime("%Y-%m-%d"),
            "d60": day(60).strftime("%Y-%m-%d"),
            "d90": day(90).strftime("%Y-%m-%d"),
            "d0": day(0).strftime("%Y-%m-%d"),
        },
    )


def pql(cases, sort="name"):
    """cases: list of (query, set of names); all run against the shared dataset"""
    pc, uids, days = pql_dataset()
    bad = []
    for query, want in cases:
        query = (
            query % dict(days, **{"u_" + k.replace("-", "_"): v for k, v in uids.items()}) if "%(" in query else query
        )
        try:
            got = pc.list_runs(query=query, sort=sort, limit=50).results
            got = [r.name for r in got]
            if sorted(got) != sorted(want):
                bad.append("%r -> %s want %s" % (query, got, sorted(want)))
        except ApiException as e:
            bad.append("%r -> HTTP %s" % (query, e.status))
    need(not bad, "; ".join(bad))


def pql_errors(queries):
    pc, _, _ = pql_dataset()
    bad = []
    for q in queries:
        r = http("GET", purl(pc) + "/runs", query={"query": q})
        if r.status_code != 400:
            bad.append("%r -> %s" % (q, r.status_code))
    need(not bad, "; ".join(bad))


ALL = {"alpha", "beta", "gamma-1", "gamma-2"}  # default window excludes runs older than a month


def stats(pc, uid=None, want=200, **q):
    return js("GET", purl(pc) + ("/runs/%s" % uid if uid else "") + "/stats", want, query=q, headers=UI)
