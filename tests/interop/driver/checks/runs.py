"""Runs: create, read and list."""

import json
import os
import uuid

from ..session import (
    check,
    COMPONENT,
    eq,
    fails,
    fresh_dir,
    get,
    has,
    HEX32,
    http,
    ISO,
    js,
    managed_run,
    names,
    need,
    operation,
    OWNER,
    project,
    purl,
    rnd,
    run_client,
    rurl,
    user_run,
    wait_status,
    write,
)
from ..records import RUN_KEYS

from polyaxon.client import PolyaxonClient

ROW_KEYS = [
    k
    for k in RUN_KEYS
    if k not in ("owner", "project", "readme", "description", "raw_content", "content", "live_state")
]


@check("runs")
def run_create_unmanaged():
    pc = project()
    rc = user_run(pc, name="m1", description="d", tags=["a", "b"], meta_info={"x": 1})
    d = get(rc)
    eq((d["name"], d["description"], sorted(d["tags"]), d["meta_info"]), ("m1", "d", ["a", "b"], {"x": 1}))
    eq(
        (d["kind"], d["runtime"], d["status"], d["managed_by"], d["is_managed"]),
        ("job", None, "created", "user", False),
    )
    eq((d["content"], d["raw_content"], d["inputs"], d["outputs"], d["started_at"], d["duration"]), (None,) * 6)


@check("runs")
def run_create_response_shape():
    pc = project()
    d = http("POST", purl(pc) + "/runs", 201, body={"is_managed": False}).json()
    for k in (
        "uuid",
        "kind",
        "name",
        "description",
        "content",
        "is_managed",
        "managed_by",
        "pending",
        "meta_info",
        "tags",
        "settings",
    ):
        has(d, k, "create response keys")
    need(HEX32.match(d["uuid"]))
    eq((d["managed_by"], d["settings"]), ("user", {}))


@check("runs")
def run_create_managed_without_content_is_400():
    pc = project()
    http("POST", purl(pc) + "/runs", 400, body={})
    http("POST", purl(pc) + "/runs", 400, body={"managed_by": "agent"})


@check("runs")
def run_create_in_missing_project_is_404():
    rc = run_client(rnd())
    rc._run_uuid = None
    fails(404, rc.create, name="x")


@check("runs")
def run_create_invalid_content_is_400():
    pc = project()
    for bad in ("nope", "{}", "- a\n- b", '{"kind": "operation", "run": {"kind": "nope"}}'):
        http("POST", purl(pc) + "/runs", 400, body={"content": bad})


@check("runs")
def run_create_managed_is_compiled_and_queued():
    pc = project()
    rc = managed_run(pc, tags=["z"])
    wait_status(rc, "queued")
    d = get(rc)
    eq((d["name"], d["kind"], d["runtime"], d["managed_by"], d["is_managed"]), ("echo-op", "job", "job", "agent", True))
    eq(d["inputs"], {"lr": 0.1, "msg": "hi"})
    content = json.loads(d["content"])
    eq((content["kind"], content["run"]["container"]["args"]), ("compiled_operation", ["echo hi"]))
    raw = json.loads(d["raw_content"])
    eq(
        (raw["kind"], raw["params"]["msg"]["value"], raw["component"]["run"]["container"]["args"]),
        ("operation", "hi", ["echo {{ msg }}"]),
    )
    st = js("GET", rurl(rc) + "/statuses")
    eq([c["type"] for c in st["status_conditions"]], ["created", "compiled", "queued"])
    for c in st["status_conditions"]:
        for k in ("type", "status", "reason", "message", "last_update_time", "last_transition_time"):
            has(c, k, "condition keys")
        need(ISO.match(c["last_update_time"]), c["last_update_time"])


@check("runs")
def run_create_missing_required_param_fails_the_run():
    pc = project()
    op = operation()
    op.pop("params")
    r = http("POST", purl(pc) + "/runs", (201, 400), body={"content": json.dumps(op)})
    if r.status_code == 201:
        rc = run_client(pc, r.json()["uuid"])
        wait_status(rc, "failed")
        need(
            "param" in (js("GET", rurl(rc) + "/statuses")["status_conditions"][-1].get("message") or ""),
            "the condition explains the failure",
        )


@check("runs")
def run_create_service():
    pc = project()
    rc = managed_run(
        pc,
        {
            "version": 1.1,
            "kind": "operation",
            "name": "sv",
            "component": {"run": {"kind": "service", "ports": [8080], "container": {"image": "nginx"}}},
        },
    )
    wait_status(rc, "queued")
    d = get(rc)
    eq((d["kind"], d["runtime"], d["meta_info"].get("ports")), ("service", "service", [8080]))


@check("runs")
def run_create_from_polyaxonfile_with_params():
    pc = project()
    f = write(os.path.join(fresh_dir(), "c.yaml"), json.dumps(COMPONENT))
    rc = run_client(pc)
    rc.create_from_polyaxonfile(f, params={"msg": "yo", "lr": 0.5}, name="pf", tags=["t"])
    wait_status(rc, "queued")
    d = get(rc)
    eq((d["inputs"], d["name"], d["tags"]), ({"lr": 0.5, "msg": "yo"}, "pf", ["t"]))
    eq(json.loads(d["content"])["run"]["container"]["args"], ["echo yo"])


@check("runs")
def run_detail_shape():
    pc = project()
    rc = user_run(pc, name="shape")
    d = get(rc)
    missing = [k for k in RUN_KEYS if k not in d]
    need(not missing, "missing keys %s" % missing)
    eq((d["owner"], d["project"], d["live_state"], d["bookmarked"]), (OWNER, pc.project, 1, False))
    for k in (
        "namespace",
        "agent",
        "queue",
        "artifacts_store",
        "tensorboard",
        "build",
        "component",
        "models",
        "artifacts",
    ):
        has(d["settings"], k, "settings keys")
    eq(set(d["resources"]), {"memory", "cpu", "gpu", "custom", "cost"})
    rc.refresh_data()
    eq((rc.run_data.name, rc.namespace), ("shape", d["settings"]["namespace"]))


@check("runs")
def run_list_shape():
    pc = project()
    user_run(pc, name="a")
    user_run(pc, name="b")
    d = js("GET", purl(pc) + "/runs")
    eq((d["count"], names(d)), (2, ["b", "a"]))
    missing = [k for k in ROW_KEYS if k not in d["results"][0]]
    need(not missing, "missing keys %s" % missing)
    r = pc.list_runs(limit=1)
    eq((r.count, len(r.results), r.results[0].name), (2, 1, "b"))


@check("runs")
def run_list_default_limit():
    pc = project()
    for i in range(3):
        user_run(pc, name="n%d" % i)
    eq(len(js("GET", purl(pc) + "/runs", query={"limit": 2})["results"]), 2)
    eq(len(run_client(pc).list(limit=2, offset=2).results), 1)


@check("runs")
def run_list_graph_mode():
    pc = project()
    a, b = user_run(pc, name="a"), user_run(pc, name="b")
    http(
        "POST",
        rurl(b) + "/lineage/edges",
        (200, 201),
        body={"edges": [{"uuid": a.run_uuid, "run": a.run_uuid, "is_upstream": True}]},
    )
    rows = {r["name"]: r for r in js("GET", purl(pc) + "/runs", query={"mode": "graph"})["results"]}
    eq((rows["a"]["graph"], rows["b"]["graph"]), ({"downstream": [b.run_uuid]}, {"downstream": []}))


@check("runs")
def run_get_missing_is_404():
    pc = project()
    fails(404, run_client(pc, uuid.uuid4().hex).refresh_data)
    http("GET", purl(pc) + "/runs/zzz", 404)


@check("runs")
def run_get_without_project():
    pc = project()
    rc = user_run(pc, name="x")
    r = PolyaxonClient().organizations_v1.get_organization_run(OWNER, rc.run_uuid)
    eq((r.name, r.project), ("x", pc.project))


@check("runs")
def run_namespace():
    pc = project()
    rc = user_run(pc)
    need(isinstance(rc.get_namespace(), str) and rc.get_namespace(), "namespace")
    eq(rc.get_namespace(), get(rc)["settings"]["namespace"])
