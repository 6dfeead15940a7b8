"""Runs: statuses, stop, approve, restart, resume, copy, delete."""

import json
import time

from ..session import (
    check,
    eq,
    fails,
    finish,
    get,
    has,
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
    run_client,
    rurl,
    set_status,
    status_of,
    user_run,
    wait_status,
)
from ..dataset import offline_run

from polyaxon.client import PolyaxonClient


@check("statuses")
def statuses_of_a_new_run():
    rc = user_run(project())
    st = js("GET", rurl(rc) + "/statuses")
    eq((st["uuid"], st["status"], [c["type"] for c in st["status_conditions"]]), (rc.run_uuid, "created", ["created"]))
    has(st, "meta_info")


@check("statuses")
def statuses_progress():
    rc = user_run(project())
    for s in ("compiled", "queued", "scheduled", "starting", "running", "succeeded"):
        set_status(rc, s, reason="Test", message="m-" + s)
    last, conds = rc.get_statuses()
    eq(last, "succeeded")
    eq([c.type for c in conds], ["created", "compiled", "queued", "scheduled", "starting", "running", "succeeded"])
    eq((conds[5].reason, conds[5].message), ("Test", "m-running"))


@check("statuses")
def statuses_client_start_succeed():
    rc = user_run(project())
    rc.start()
    wait_status(rc, "running")
    rc.log_succeeded()
    wait_status(rc, "succeeded")
    d = get(rc)
    need(ISO.match(d["started_at"]) and ISO.match(d["finished_at"]), "timestamps")
    need(isinstance(d["wait_time"], (int, float)) and isinstance(d["duration"], (int, float)), "durations")
    need(d["created_at"] <= d["started_at"] <= d["finished_at"], "order")


@check("statuses")
def statuses_client_failed_and_stopped():
    pc = project()
    a, b = user_run(pc), user_run(pc)
    a.start()
    wait_status(a, "running")
    a.log_failed(reason="Boom", message="it broke")
    wait_status(a, "failed")
    c = js("GET", rurl(a) + "/statuses")["status_conditions"][-1]
    eq((c["reason"], c["message"]), ("Boom", "it broke"))
    b.log_stopped()
    wait_status(b, "stopped")


@check("statuses")
def statuses_final_is_sticky_unless_forced():
    rc = user_run(project())
    finish(rc, "succeeded")
    set_status(rc, "failed")
    eq(status_of(rc), "succeeded")
    set_status(rc, "running")
    eq(status_of(rc), "succeeded")
    http(
        "POST",
        rurl(rc) + "/statuses",
        (200, 201),
        body={"condition": {"type": "failed", "status": True}, "force": True},
    )
    eq(status_of(rc), "failed")


@check("statuses")
def statuses_created_and_empty_are_no_ops():
    rc = user_run(project())
    set_status(rc, "running")
    set_status(rc, "created")
    for body in ({}, {"condition": None}, {"condition": {}}):
        http("POST", rurl(rc) + "/statuses", (200, 201), body=body)
    eq(status_of(rc), "running")


@check("statuses")
def statuses_upper_case_type_is_normalised():
    rc = user_run(project())
    set_status(rc, "RUNNING")
    eq(status_of(rc), "running")


@check("statuses")
def statuses_stopping_only_moves_to_done():
    rc = managed_run(project())
    wait_status(rc, "queued")
    rc.stop()
    wait_status(rc, "stopping", "stopped")
    set_status(rc, "running")
    need(status_of(rc) in ("stopping", "stopped"), status_of(rc))
    set_status(rc, "stopped")
    eq(status_of(rc), "stopped")


@check("statuses")
def statuses_get_since_last_status():
    rc = user_run(project())
    set_status(rc, "running")
    set_status(rc, "succeeded")
    last, conds = rc.get_statuses(last_status="running")
    eq((last, [c.type for c in conds]), ("succeeded", ["succeeded"]))


@check("statuses")
def duration_is_consistent():
    rc = user_run(project())
    set_status(rc, "running")
    time.sleep(1.1)
    set_status(rc, "succeeded")
    d = get(rc)
    need(1.0 <= d["duration"] <= 20, "duration %s" % d["duration"])


@check("lifecycle")
def stop_created_run():
    rc = user_run(project())
    rc.stop()
    wait_status(rc, "stopped")
    need(get(rc)["finished_at"], "finished_at")


@check("lifecycle")
def stop_running_user_run():
    rc = user_run(project())
    set_status(rc, "running")
    rc.stop()
    wait_status(rc, "stopped", "stopping")


@check("lifecycle")
def stop_is_idempotent_on_done_runs():
    rc = user_run(project())
    finish(rc)
    rc.stop()
    eq(status_of(rc), "succeeded")


@check("lifecycle")
def skip_created_run():
    rc = user_run(project())
    rc.skip()
    wait_status(rc, "skipped")


@check("lifecycle")
def approve_flow():
    pc = project()
    rc = managed_run(pc, operation(isApproved=False))
    eq(get(rc)["pending"], "approval")
    need(status_of(rc) in ("created", "compiled"), status_of(rc))
    for _ in range(2):
        rc.approve()
        if get(rc)["pending"] is None:
            break
    eq(get(rc)["pending"], None)
    wait_status(rc, "queued")


@check("lifecycle")
def approve_upload_flow():
    pc = project()
    rc = managed_run(pc, pending="upload", meta_info={"upload_artifacts": "uploads"})
    d = get(rc)
    eq((d["pending"], d["meta_info"]["upload_artifacts"]), ("upload", "uploads"))
    rc.approve()
    wait_status(rc, "queued")
    eq(get(rc)["pending"], None)


@check("lifecycle")
def restart_run():
    rc = managed_run(project())
    wait_status(rc, "queued")
    r = rc.restart(name="again", description="why", tags=["re"])
    need(r.uuid != rc.run_uuid, "new uuid")
    d = get(run_client(rc.project, r.uuid))
    eq((d["name"], d["description"], d["tags"]), ("again", "why", ["re"]))
    eq(d["original"], {"uuid": rc.run_uuid, "name": "echo-op", "kind": "restart"})
    eq(d["inputs"], {"lr": 0.1, "msg": "hi"})


@check("lifecycle")
def restart_with_override():
    rc = managed_run(project())
    r = rc.restart(content={"params": {"msg": {"value": "over"}}})
    d = get(run_client(rc.project, r.uuid))
    wait_status(run_client(rc.project, r.uuid), "queued")
    eq(get(run_client(rc.project, r.uuid))["inputs"]["msg"], "over")
    eq(json.loads(get(run_client(rc.project, r.uuid))["content"])["run"]["container"]["args"], ["echo over"])
    eq(d["original"]["kind"], "restart")


@check("lifecycle")
def restart_errors_are_400():
    pc = project()
    u = user_run(pc)
    fails(400, u.restart)  # no spec to restart
    m = managed_run(pc)
    http("POST", rurl(m) + "/restart", 400, body={"content": "{bad"})


@check("lifecycle")
def copy_run():
    rc = managed_run(project())
    r = rc.restart(copy=True, name="cp")
    c = run_client(rc.project, r.uuid)
    wait_status(c, "queued")
    d = get(c)
    eq((d["original"]["kind"], d["original"]["uuid"], d["name"]), ("copy", rc.run_uuid, "cp"))
    init = json.loads(d["content"])["run"].get("init") or []
    need(any(rc.run_uuid in json.dumps(i) for i in init), "no init copies the artifacts of the original")


@check("lifecycle")
def clones_listing():
    rc = managed_run(project())
    a, b = rc.restart(name="r1").uuid, rc.restart(copy=True, name="c1").uuid
    d = js("GET", rurl(rc) + "/lineage/clones")
    eq(d["count"], 2)
    rows = {r["uuid"].replace("-", ""): r for r in d["results"]}
    eq((rows[a]["cloning_kind"], rows[b]["cloning_kind"], rows[a]["name"]), ("restart", "copy", "r1"))
    PolyaxonClient().runs_v1.get_run_clones_lineage(OWNER, rc.project, rc.run_uuid)


@check("lifecycle")
def resume_run():
    rc = managed_run(project())
    fails(400, rc.resume)
    finish(rc, "stopped")
    r = rc.resume(name="resumed", tags=["z"])
    eq(r.uuid, rc.run_uuid)
    wait_status(rc, "queued")
    d = get(rc)
    eq((d["name"], d["tags"]), ("resumed", ["z"]))
    has([c["type"] for c in js("GET", rurl(rc) + "/statuses")["status_conditions"]], "resuming")


@check("lifecycle")
def invalidate_run():
    rc = managed_run(project())
    rc.invalidate()
    http("GET", rurl(rc), 200)


@check("lifecycle")
def archive_and_restore_run():
    pc = project()
    rc = user_run(pc, name="x")
    http("POST", rurl(rc) + "/archive", 200)
    d = get(rc)
    eq(d["live_state"], 0)
    eq(names(js("GET", purl(pc) + "/runs")), [])
    eq(names(js("GET", purl(pc) + "/runs", query={"query": "live_state:0"})), ["x"])
    http("POST", rurl(rc) + "/restore", 200)
    eq((get(rc)["live_state"], names(js("GET", purl(pc) + "/runs"))), (1, ["x"]))


@check("lifecycle")
def bookmark_run():
    pc = project()
    a, b = user_run(pc, name="a"), user_run(pc, name="b")
    c = PolyaxonClient().runs_v1
    c.bookmark_run(OWNER, pc.project, a.run_uuid)
    eq((get(a)["bookmarked"], get(b)["bookmarked"]), (True, False))
    eq(names(js("GET", purl(pc) + "/runs", query={"bookmarks": "true"})), ["a"])
    eq(names(js("GET", purl(pc) + "/runs", query={"bookmarks": "false"})), ["b"])
    c.unbookmark_run(OWNER, pc.project, a.run_uuid)
    eq(get(a)["bookmarked"], False)


@check("lifecycle")
def transfer_run():
    a, b = project(), project()
    rc = user_run(a, name="x")
    uid = rc.run_uuid
    rc.transfer(b.project)
    http("GET", purl(a) + "/runs/" + uid, 404)
    eq(js("GET", purl(b) + "/runs/" + uid)["project"], b.project)


@check("lifecycle")
def delete_run():
    pc = project()
    rc = user_run(pc, name="x")
    rc.delete()
    eq(js("GET", purl(pc) + "/runs")["count"], 0)


@check("lifecycle")
def offline_sync():
    pc = project()
    rc = offline_run(
        pc,
        name="off",
        tags=["o"],
        status="succeeded",
        created_at="2026-03-01T00:00:00Z",
        started_at="2026-03-01T00:00:01Z",
        finished_at="2026-03-01T00:00:05Z",
        duration=4,
        wait_time=1,
        inputs={"a": 1},
        outputs={"b": 2},
        meta_info={"m": 1},
        status_conditions=[{"type": "created", "status": "True"}, {"type": "succeeded", "status": "True"}],
    )
    d = get(rc)
    eq(
        (d["name"], d["status"], d["inputs"], d["outputs"], d["tags"], d["duration"], d["managed_by"]),
        ("off", "succeeded", {"a": 1}, {"b": 2}, ["o"], 4, "user"),
    )
    need(d["created_at"].startswith("2026-03-01T00:00:00"), d["created_at"])
    need(d["finished_at"].startswith("2026-03-01T00:00:05"), d["finished_at"])
    eq(len(js("GET", rurl(rc) + "/statuses")["status_conditions"]), 2)
