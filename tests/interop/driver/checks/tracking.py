"""Scripts that track with the official client."""

import json
import os
import textwrap

from ..session import (
    check,
    eq,
    fresh_dir,
    get,
    http,
    js,
    need,
    project,
    run_client,
    rurl,
    surl,
    until,
    val,
    wait_status,
)
from ..programs import script

TRACK = """
import numpy as np, os, sys
from polyaxon import tracking
tracking.init(owner="default", project="{project}", name="tracked", tags=["t"], is_new=True, track_code=False)
run = tracking.TRACKING_RUN
open("uuid.txt", "w").write(run.run_uuid)
{body}
"""


def track(pc, body, want=0, env=None, cwd=None):
    cwd = cwd or fresh_dir()
    out = script(TRACK.format(project=pc.project, body=textwrap.dedent(body)), want=want, env=env, cwd=cwd)
    return run_client(pc, open(os.path.join(cwd, "uuid.txt")).read()), out


@check("tracking")
def tracking_minimal_run():
    pc = project()
    rc, _ = track(pc, "tracking.log_inputs(a=1, b='x')\ntracking.log_outputs(score=0.5)\n")
    wait_status(rc, "succeeded")
    d = get(rc)
    eq((d["name"], d["tags"], d["inputs"], d["outputs"]), ("tracked", ["t"], {"a": 1, "b": "x"}, {"score": 0.5}))
    types = [c["type"] for c in js("GET", rurl(rc) + "/statuses")["status_conditions"]]
    eq((types[0], types[-1], "running" in types), ("created", "succeeded", True))


@check("tracking")
def tracking_metrics():
    pc = project()
    rc, _ = track(
        pc,
        """
    for i in range(10):
        tracking.log_metrics(step=i, loss=1.0 / (i + 1), acc=i / 10)
    tracking.log_metric("single", 3.5, step=1)
    """,
    )
    wait_status(rc, "succeeded")
    d = until(lambda: (lambda x: x if (x["outputs"] or {}).get("single") else None)(get(rc)), what="outputs")
    eq((d["outputs"]["loss"], d["outputs"]["acc"], d["outputs"]["single"]), (0.1, 0.9, 3.5))
    eq((d["meta_info"].get("has_metrics"), d["meta_info"].get("has_events")), (True, True))
    ev = {
        e["name"]: e["data"]
        for e in js("GET", surl(rc, "events/metric"), query={"names": "loss,acc", "force": "true"})["data"]
    }
    eq((ev["loss"]["step"], ev["loss"]["metric"][-1], len(ev["acc"]["metric"])), (list(range(10)), 0.1, 10))
    lin = {a.name: a for a in rc.get_artifacts_lineage(limit=50).results}
    s = lin["loss"].summary
    eq((s["metric"]["last"], s["step"]["count"] if "step" in s else None), (0.1, 10.0))
    eq(lin["loss"].path.split(rc.run_uuid + "/")[-1], "events/metric/loss.plx")


@check("tracking")
def tracking_rich_events():
    pc = project()
    rc, _ = track(
        pc,
        """
    import matplotlib.pyplot as plt
    tracking.log_image(data=np.zeros((4, 4, 3), dtype=np.uint8), name="img", step=0)
    tracking.log_text(name="txt", text="some text", step=0)
    tracking.log_html(name="page", html="<b>hi</b>", step=0)
    tracking.log_histogram("hist", np.array([1.0, 2.0, 3.0]), bins="auto", step=0)
    tracking.log_curve("c1", x=[0.0, 1.0], y=[0.0, 1.0], annotation="0.5", step=0)
    tracking.log_roc_auc_curve(name="roc", fpr=[0.0, 1.0], tpr=[0.0, 1.0], auc=0.5, step=0)
    tracking.log_confusion_matrix("cm", x=["a", "b"], y=["a", "b"], z=[[1, 0], [0, 1]], step=0)
    fig = plt.figure(); plt.plot([1, 2]); tracking.log_mpl_image(fig, "mpl", step=0)
    """,
    )
    wait_status(rc, "succeeded")
    lin = until(
        lambda: (lambda r: r if {"img", "txt", "page", "hist", "c1", "roc", "cm", "mpl"} <= set(r) else None)(
            {a.name: val(a.kind) for a in rc.get_artifacts_lineage(limit=100).results}
        ),
        what="event lineage",
    )
    eq(
        {k: lin[k] for k in ("img", "txt", "page", "hist", "c1", "cm")},
        {"img": "image", "txt": "text", "page": "html", "hist": "histogram", "c1": "curve", "cm": "confusion"},
    )
    e = js("GET", surl(rc, "events/image"), query={"names": "img", "force": "true"})["data"][0]["data"]
    img = e["image"][0]
    img = json.loads(img) if isinstance(img, str) else img
    path = img["path"].split(rc.run_uuid + "/")[-1]
    need(http("GET", surl(rc, "artifact"), 200, query={"path": path}).content.startswith(b"\x89PNG"), "image asset")
    c = js("GET", surl(rc, "events/curve"), query={"names": "c1"})["data"][0]["data"]["curve"][0]
    c = json.loads(c) if isinstance(c, str) else c
    eq((c["x"], c["y"]), ([0.0, 1.0], [0.0, 1.0]))


@check("tracking")
def tracking_files_and_outputs():
    pc = project()
    rc, _ = track(
        pc,
        """
    p = tracking.get_outputs_path("report.txt")
    open(p, "w").write("report")
    os.makedirs("d", exist_ok=True)
    open("d/model.bin", "wb").write(b"weights")
    tracking.log_artifact("d/model.bin", name="m", kind="file")
    tracking.log_model("d/model.bin", name="net", framework="custom")
    tracking.log_file_ref(path=p, name="report")
    tracking.log_artifact_ref(path=p, name="ref", kind="file")
    """,
    )
    wait_status(rc, "succeeded")
    until(
        lambda: "report.txt" in js("GET", surl(rc, "artifacts/tree"), query={"path": "outputs"})["files"],
        what="report.txt",
    )
    eq(http("GET", surl(rc, "artifact"), 200, query={"path": "outputs/report.txt"}).content, b"report")
    lin = until(
        lambda: (lambda r: r if {"m", "net", "report", "env"} <= set(r) else None)(
            {a.name: a for a in rc.get_artifacts_lineage(limit=100).results}
        ),
        what="lineage",
    )
    eq(val(lin["net"].kind), "model")
    path = lin["m"].path.split(rc.run_uuid + "/")[-1]
    eq(http("GET", surl(rc, "artifact"), 200, query={"path": path}).content, b"weights")
    eq(get(rc)["meta_info"].get("has_model"), True)


@check("tracking")
def tracking_system_resources_path():
    pc = project()
    rc, _ = track(pc, "import time\ntracking.log_metric('x', 1.0, step=0)\ntime.sleep(12)\n")
    wait_status(rc, "succeeded")
    d = js("GET", surl(rc, "resources"), query={"force": "true"})
    need(isinstance(d["data"], list), "resources")
