"""Actions on many runs at once."""

from ..session import (
    check,
    eq,
    get,
    http,
    js,
    managed_run,
    names,
    operation,
    project,
    purl,
    rnd,
    set_status,
    status_of,
    user_run,
    wait_status,
)


@check("bulk")
def bulk_tag():
    pc = project()
    a, b = user_run(pc, tags=["x"]), user_run(pc)
    pc.tag_runs([a.run_uuid, b.run_uuid], ["new", "x"])
    eq((sorted(get(a)["tags"]), sorted(get(b)["tags"])), (["new", "x"], ["new", "x"]))


@check("bulk")
def bulk_stop():
    pc = project()
    a, b, c = user_run(pc), user_run(pc), user_run(pc)
    set_status(b, "running")
    pc.stop_runs([a.run_uuid, b.run_uuid])
    wait_status(a, "stopped")
    wait_status(b, "stopped", "stopping")
    eq(status_of(c), "created")


@check("bulk")
def bulk_approve():
    pc = project()
    a, b = managed_run(pc, operation(isApproved=False)), managed_run(pc, operation(isApproved=False))
    pc.approve_runs([a.run_uuid])
    eq((get(a)["pending"], get(b)["pending"]), (None, "approval"))
    wait_status(a, "compiled", "queued")


@check("bulk", strict=True)
def bulk_approve_starts_the_runs():
    pc = project()
    a = managed_run(pc, operation(isApproved=False))
    pc.approve_runs([a.run_uuid])
    wait_status(a, "queued")


@check("lifecycle", strict=True)
def approve_once_is_enough():
    rc = managed_run(project(), operation(isApproved=False))
    rc.approve()
    wait_status(rc, "queued")


@check("bulk")
def bulk_invalidate():
    pc = project()
    pc.invalidate_runs([managed_run(pc).run_uuid])


@check("bulk")
def bulk_bookmark():
    pc = project()
    a, b = user_run(pc, name="a"), user_run(pc, name="b")
    pc.bookmark_runs([a.run_uuid, b.run_uuid])
    eq(sorted(names(js("GET", purl(pc) + "/runs", query={"bookmarks": "1"}))), ["a", "b"])


@check("bulk")
def bulk_transfer_errors():
    a = project()
    r = user_run(a).run_uuid
    http("POST", purl(a) + "/runs/transfer", 400, body={"uuids": [r]})
    http("POST", purl(a) + "/runs/transfer", 400, body={"uuids": [r], "project": rnd("missing")})


@check("bulk")
def bulk_delete():
    pc = project()
    a, b = user_run(pc, name="a"), user_run(pc, name="b")
    pc.delete_runs([a.run_uuid])
    eq(names(js("GET", purl(pc) + "/runs")), ["b"])
