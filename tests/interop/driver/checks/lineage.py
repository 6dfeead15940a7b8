"""Lineage of artifacts and between runs."""

from ..session import check, eq, get, HEX32, http, js, names, need, OWNER, project, purl, rurl, until, user_run, val
from ..records import DATA, LOSS, MODEL

from polyaxon.client import PolyaxonClient


@check("lineage")
def lineage_log_and_list():
    rc = user_run(project(), name="lin")
    rc.log_artifact_lineage([LOSS, DATA, MODEL], async_req=False)
    r = rc.get_artifacts_lineage()
    eq((r.count, sorted(a.name for a in r.results)), (3, ["data", "loss", "model"]))
    d = js("GET", rurl(rc) + "/lineage/artifacts/loss")
    eq(
        (d["kind"], d["path"], d["summary"], d["is_input"], d["run"]),
        ("metric", LOSS["path"], {"last": 0.1}, False, rc.run_uuid),
    )
    eq(d["meta_info"]["run"], {"name": "lin", "uuid": rc.run_uuid})
    need(HEX32.match(d["state"]))


@check("lineage")
def lineage_errors():
    rc = user_run(project())
    http("POST", rurl(rc) + "/lineage/artifacts", 400, body={})
    http("POST", rurl(rc) + "/lineage/artifacts", 400, body={"artifacts": [{"name": "x", "kind": "nope"}]})
    http("POST", rurl(rc) + "/lineage/artifacts", 201, body={"artifacts": []})
    http("GET", rurl(rc) + "/lineage/artifacts/missing", 404)


@check("lineage")
def lineage_update_in_place():
    rc = user_run(project())
    rc.log_artifact_lineage(LOSS, async_req=False)
    rc.log_artifact_lineage(dict(LOSS, summary={"last": 0.01}), async_req=False)
    d = js("GET", rurl(rc) + "/lineage/artifacts")
    eq((d["count"], d["results"][0]["summary"]), (1, {"last": 0.01}))


@check("lineage")
def lineage_state_rules():
    pc = project()
    a, b = user_run(pc), user_run(pc)
    for rc in (a, b):
        rc.log_artifact_lineage([LOSS, DATA], async_req=False)
    get_ = lambda rc, n: js("GET", rurl(rc) + "/lineage/artifacts/" + n)["state"]  # noqa: E731
    eq((get_(a, "loss"), get_(b, "loss")), (a.run_uuid, b.run_uuid), "outputs take the run uuid as state")
    eq(get_(a, "data"), get_(b, "data"), "same input content, same state")


@check("lineage")
def lineage_query():
    rc = user_run(project())
    rc.log_artifact_lineage([LOSS, DATA, MODEL], async_req=False)
    q = lambda s: sorted(a.name for a in rc.get_artifacts_lineage(query=s).results)  # noqa: E731
    eq(q("kind:metric"), ["loss"])
    eq(q("kind:metric|model"), ["loss", "model"])
    eq(q("kind:~metric"), ["data", "model"])
    eq(q("is_input:1"), ["data"])
    eq(q("is_input:false"), ["loss", "model"])
    eq(q("name:%o%"), ["loss", "model"])
    eq(q("path:outputs/m"), ["model"])
    http("GET", rurl(rc) + "/lineage/artifacts", 400, query={"query": "bogus:1"})


@check("lineage")
def lineage_of_a_project():
    pc = project()
    a, b = user_run(pc, name="a"), user_run(pc, name="b")
    a.log_artifact_lineage([LOSS, DATA], async_req=False)
    b.log_artifact_lineage([LOSS], async_req=False)
    d = a.get_runs_artifacts_lineage()
    eq(d.count, 3)
    eq({x.run for x in d.results}, {a.run_uuid, b.run_uuid})
    eq(sorted(names(js("GET", purl(pc) + "/runs/lineage/artifacts", query={"query": "run:" + b.run_uuid}))), ["loss"])


@check("lineage")
def lineage_old_path_alias():
    rc = user_run(project())
    rc.log_artifact_lineage(LOSS, async_req=False)
    eq(js("GET", rurl(rc) + "/artifacts_lineage")["count"], 1)


@check("lineage")
def lineage_edges():
    pc = project()
    a, b = user_run(pc, name="a"), user_run(pc, name="b")
    http(
        "POST",
        rurl(b) + "/lineage/edges",
        (200, 201),
        body={"edges": [{"uuid": a.run_uuid, "run": a.run_uuid, "is_upstream": True, "values": {"k": 1}}]},
    )
    up = js("GET", rurl(b) + "/lineage/upstream")
    eq(
        (up["count"], up["results"][0]["kind"], up["results"][0]["values"], up["results"][0]["upstream"]["uuid"]),
        (1, "manual", {"k": 1}, a.run_uuid),
    )
    down = PolyaxonClient().runs_v1.get_run_downstream_lineage(OWNER, pc.project, a.run_uuid)
    eq(down.results[0].downstream.uuid, b.run_uuid)
    eq(names(js("GET", purl(pc) + "/runs", query={"query": "upstream:" + a.run_uuid})), ["b"])


@check("lineage", strict=True)
def lineage_edges_with_the_official_client():
    from polyaxon._sdk.schemas.v1_run_edge_lineage import V1RunEdgeLineage

    pc = project()
    a, b = user_run(pc, name="a"), user_run(pc, name="b")
    b.set_run_edges_lineage([V1RunEdgeLineage(uuid=a.run_uuid, is_upstream=True)])
    eq(js("GET", rurl(b) + "/lineage/upstream")["results"][0]["upstream"]["uuid"], a.run_uuid)


@check("lineage")
def lineage_typed_refs():
    rc = user_run(project())
    rc.log_model_ref(path="/data/models/m1", name="m1", framework="pytorch")
    rc.log_file_ref(path="/data/f.csv", name="f1")
    rc.log_dir_ref(path="/data/dir", name="d1")
    rc.log_data_ref(name="ds", path="/data/ds", content="v1")
    rc.log_code_ref({"commit": "abc123", "branch": "main", "url": "https://example.com/r.git"})
    rows = until(
        lambda: (lambda r: r if len(r) == 5 else None)({a.name: a for a in rc.get_artifacts_lineage().results}),
        what="5 artifacts",
    )
    eq(
        {n: val(a.kind) for n, a in rows.items()},
        {"m1": "model", "f1": "file", "d1": "dir", "ds": "data", "abc123": "coderef"},
    )
    until(lambda: get(rc)["meta_info"].get("has_model"), what="has_model")


@check("lineage", strict=True)
def lineage_sort_by_name():
    rc = user_run(project())
    rc.log_artifact_lineage([LOSS, DATA, MODEL], async_req=False)
    eq([a.name for a in rc.get_artifacts_lineage(sort="-name").results], ["model", "loss", "data"])
