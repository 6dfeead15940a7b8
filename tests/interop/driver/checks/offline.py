"""Runs that were tracked without a server."""

import os

from ..session import (
    check,
    eq,
    finish,
    fresh_dir,
    get,
    has,
    http,
    js,
    names,
    need,
    project,
    purl,
    run_client,
    rurl,
    surl,
    user_run,
)
from ..files import put_file
from ..programs import cli, script
from ..records import MODEL


@check("offline")
def offline_run_is_pushed_with_the_cli():
    pc = project()
    d = fresh_dir()
    script(
        """
    from polyaxon import tracking
    tracking.init(owner="default", project="%s", name="off", is_offline=True, track_code=False)
    run = tracking.TRACKING_RUN
    open("uuid.txt", "w").write(run.run_uuid)
    tracking.log_inputs(a=1)
    for i in range(3):
        tracking.log_metric("loss", 1.0 - i / 10, step=i)
    open(tracking.get_outputs_path("o.txt"), "w").write("offline")
    tracking.end()
    """ % pc.project,
        cwd=d,
        env={"POLYAXON_OFFLINE_ROOT": d},
    )
    uid = open(os.path.join(d, "uuid.txt")).read()
    http("GET", purl(pc) + "/runs/" + uid, 404)
    cli("ops", "push", "-p", "default/" + pc.project, "-uid", uid, "--path", d, env={"POLYAXON_OFFLINE_ROOT": d})
    rc = run_client(pc, uid)
    r = get(rc)
    eq((r["name"], r["status"], r["inputs"]), ("off", "succeeded", {"a": 1}))
    eq(js("GET", surl(rc, "events/metric"), query={"names": "loss"})["data"][0]["data"]["metric"], [1.0, 0.9, 0.8])
    eq(http("GET", surl(rc, "artifact"), 200, query={"path": "outputs/o.txt"}).content, b"offline")
    has(names(js("GET", rurl(rc) + "/lineage/artifacts")), "loss")


@check("offline")
def run_is_pulled_and_pushed_to_another_project():
    a, b = project(), project()
    rc = user_run(a, name="src", tags=["t"])
    rc.log_outputs(async_req=False, m=1)
    rc.log_artifact_lineage(dict(MODEL, path="outputs/m.bin"), async_req=False)
    put_file(rc, "outputs", "m.bin", b"w")
    finish(rc)
    d = fresh_dir()
    cli("ops", "pull", "-p", "default/" + a.project, "-uid", rc.run_uuid, "--path", d)
    need(os.path.isfile(os.path.join(d, "runs", rc.run_uuid, "run.plx.json")), "run.plx.json")
    need(
        os.path.isfile(os.path.join(d, "runs", rc.run_uuid, "outputs", "m.bin"))
        or any("m.bin" in fs for _, _, fs in os.walk(d)),
        "artifacts",
    )
    cli(
        "ops",
        "push",
        "-p",
        "default/" + b.project,
        "-uid",
        rc.run_uuid,
        "--path",
        d,
        "--reset-project",
        "--reset-uuid",
        "--name",
        "dst",
    )
    r = js("GET", purl(b) + "/runs")
    eq((r["count"], r["results"][0]["name"], r["results"][0]["outputs"]), (1, "dst", {"m": 1}))
    need(r["results"][0]["uuid"] != rc.run_uuid, "new uuid")
