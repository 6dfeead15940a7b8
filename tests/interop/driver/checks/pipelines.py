"""Runs of pipelines as the API shows them."""

from ..session import (
    check,
    COMPONENT,
    eq,
    finish,
    get,
    js,
    managed_run,
    need,
    operation,
    project,
    purl,
    run_client,
    set_status,
    until,
    wait_status,
)
from ..dataset import stats


@check("pipelines")
def grid_creates_children():
    pc = project()
    rc = managed_run(
        pc, operation(name="grid", matrix={"kind": "grid", "params": {"lr": {"kind": "choice", "value": [0.5, 0.25]}}})
    )
    d = until(
        lambda: (lambda x: x if x["count"] == 2 else None)(
            js("GET", purl(pc) + "/runs", query={"query": "pipeline:" + rc.run_uuid})
        ),
        what="2 children",
    )
    eq(sorted(r["inputs"]["lr"] for r in d["results"]), [0.25, 0.5])
    eq(d["results"][0]["pipeline"], {"uuid": rc.run_uuid, "name": "grid", "kind": "matrix"})
    p = get(rc)
    eq((p["kind"], p["runtime"]), ("matrix", "grid"))
    eq(rc.list_children().count, 2)
    for r in d["results"]:
        set_status(run_client(pc, r["uuid"]), "succeeded")
    wait_status(rc, "succeeded")


@check("pipelines")
def dag_runs_in_order():
    pc = project()
    rc = managed_run(
        pc,
        {
            "version": 1.1,
            "kind": "operation",
            "name": "dg",
            "component": {
                "run": {
                    "kind": "dag",
                    "operations": [
                        {"name": "a", "params": {"msg": {"value": "1"}}, "component": COMPONENT},
                        {"name": "b", "dependencies": ["a"], "params": {"msg": {"value": "2"}}, "component": COMPONENT},
                    ],
                }
            },
        },
    )
    d = until(
        lambda: (lambda x: x if x["count"] == 2 else None)(
            js("GET", purl(pc) + "/runs", query={"query": "pipeline:" + rc.run_uuid, "mode": "graph"})
        ),
        what="2 nodes",
    )
    rows = {r["name"]: r for r in d["results"]}
    eq((rows["a"]["graph"]["downstream"], rows["b"]["status"]), ([rows["b"]["uuid"]], "created"))
    a, b = run_client(pc, rows["a"]["uuid"]), run_client(pc, rows["b"]["uuid"])
    finish(a)
    wait_status(b, "compiled", "queued")
    finish(b)
    wait_status(rc, "succeeded")


@check("pipelines")
def pipeline_progress_stats():
    pc = project()
    rc = managed_run(
        pc, operation(name="grid", matrix={"kind": "grid", "params": {"lr": {"kind": "choice", "value": [0.5, 0.25]}}})
    )
    until(
        lambda: js("GET", purl(pc) + "/runs", query={"query": "pipeline:" + rc.run_uuid})["count"] == 2,
        what="2 children",
    )
    eq(stats(pc, rc.run_uuid, mode="analytics", kind="annotations", aggregate="progress"), {"done": 0, "count": 2})


@check("pipelines")
def schedule_plans_the_next_run():
    pc = project()
    rc = managed_run(pc, operation(name="sc", schedule={"kind": "datetime", "startAt": "2090-01-01T00:00:00Z"}))
    d = until(
        lambda: (lambda x: x if x["count"] == 1 else None)(
            js("GET", purl(pc) + "/runs", query={"query": "pipeline:" + rc.run_uuid})
        ),
        what="a child",
    )
    need(d["results"][0]["schedule_at"].startswith("2090-01-01T00:00:00"), d["results"][0]["schedule_at"])
    p = get(rc)
    eq((p["kind"], p["runtime"]), ("schedule", "datetime"))
    rc.stop()
