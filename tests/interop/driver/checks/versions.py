"""Versions of components, models and artifacts."""

import json

from ..session import (
    check,
    COMPONENT,
    eq,
    Failed,
    fails,
    get,
    has,
    HEX32,
    http,
    js,
    names,
    need,
    OWNER,
    project,
    purl,
    rnd,
    user_run,
    val,
)
from ..records import LOSS, MODEL

from polyaxon.exceptions import PolyaxonClientException


@check("versions")
def component_version_crud():
    pc = project()
    v = pc.register_component_version("v1", description="d", tags=["a"], content=COMPONENT)
    eq((v.name, v.description, v.tags, val(v.kind), val(v.stage)), ("v1", "d", ["a"], "component", "testing"))
    d = js("GET", purl(pc) + "/versions/component/v1")
    need(HEX32.match(d["state"]), "component versions carry a content state")
    eq((d["owner"], d["project"], d["run"]), (OWNER, pc.project, None))
    eq(json.loads(d["content"])["name"], "echo")
    pc.patch_component_version("v1", {"description": "dd"})
    eq(pc.get_component_version("v1").description, "dd")
    eq([x.name for x in pc.list_component_versions().results], ["v1"])
    pc.delete_component_version("v1")
    fails(404, pc.get_component_version, "v1")


@check("versions")
def component_version_needs_content():
    pc = project()
    http("POST", purl(pc) + "/versions/component", 400, body={"name": "v1"})
    http("POST", purl(pc) + "/versions/component", 400, body={"name": "v1", "content": "- not\n- a mapping"})


@check("versions")
def model_version_from_run():
    pc = project()
    rc = user_run(pc, name="train")
    rc.log_artifact_lineage([MODEL, LOSS], async_req=False)
    v = rc.promote_to_model_version("1.0-rc.1", description="d", tags=["t"], content={"f1": 0.9}, artifacts=["model"])
    eq((v.name, v.run), ("1.0-rc.1", rc.run_uuid))
    d = js("GET", purl(pc) + "/versions/model/1.0-rc.1")
    eq((d["artifacts"], d["run"], json.loads(d["content"])), (["model"], rc.run_uuid, {"f1": 0.9}))
    eq(d["meta_info"]["run"], {"project": pc.project, "name": "train", "uuid": rc.run_uuid})
    eq(d["meta_info"]["lineage"][0]["path"], "outputs/m")
    r = get(rc)
    eq(r["meta_info"].get("is_promoted"), True)
    eq([m["name"] for m in r["settings"]["models"]], ["1.0-rc.1"])


@check("versions")
def version_errors():
    pc = project()
    rc = user_run(pc)
    u = purl(pc) + "/versions/model"
    http("POST", u, 201, body={"name": "v1"})
    http("POST", u, 400, body={"name": "v1"})
    has(http("POST", u, 400, body={"name": "v 2"}).json(), "name")
    has(http("POST", u, 400, body={}).json(), "name")
    http("POST", u, 400, body={"name": "v3", "content": "not: [yaml"})
    has(http("POST", u, 400, body={"name": "v3", "content": {"a": 1}}).json(), "content")
    has(http("POST", u, 400, body={"name": "v3", "run": "zzz"}).json(), "run")
    http("POST", u, 400, body={"name": "v3", "artifacts": ["x"]})
    http("POST", u, 400, body={"name": "v3", "run": rc.run_uuid, "artifacts": ["x"]})
    http("GET", purl(pc) + "/versions/bogus", 404)


@check("versions")
def version_register_force():
    pc = project()
    pc.register_model_version("v1", description="one")
    try:
        pc.register_model_version("v1", description="two")
        raise Failed("no error without force")
    except PolyaxonClientException:
        pass
    pc.register_model_version("v1", description="two", force=True)
    eq(pc.get_model_version("v1").description, "two")


@check("versions")
def version_list_shape_names_and_paging():
    pc = project()
    for n in ("a", "b", "c"):
        pc.create_model_version({"name": n})
    d = js("GET", purl(pc) + "/versions/model", query={"limit": 2})
    eq((d["count"], names(d)), (3, ["c", "b"]))
    for k in ("uuid", "name", "description", "tags", "user", "created_at", "updated_at", "stage", "state", "kind"):
        has(d["results"][0], k, "version row keys")
    need("content" not in d["results"][0], "rows are light")
    eq(names(js("GET", purl(pc) + "/versions/model/names")), ["c", "b", "a"])
    eq(js("GET", purl(pc) + "/versions/artifact")["count"], 0, "kinds are separate")


@check("versions")
def version_stage():
    pc = project()
    pc.create_model_version({"name": "v1"})
    s = js("GET", purl(pc) + "/versions/model/v1/stages")
    eq((s["stage"], [c["type"] for c in s["stage_conditions"]]), ("testing", ["testing"]))
    pc.stage_model_version("v1", stage="staging", reason="R", message="M")
    pc.stage_model_version("v1", stage="production")
    stage, conds = pc.get_model_version_stages("v1")
    eq((val(stage), [val(c.type) for c in conds]), ("production", ["testing", "staging", "production"]))
    eq((conds[1].reason, conds[1].message), ("R", "M"))
    eq(js("GET", purl(pc) + "/versions/model/v1")["stage"], "production")


@check("versions")
def version_transfer():
    a, b = project(), project()
    a.create_model_version({"name": "v1"})
    a.transfer_model_version("v1", to_project=b.project)
    fails(404, a.get_model_version, "v1")
    eq(b.get_model_version("v1").project, b.project)
    http("POST", purl(b) + "/versions/model/v1/transfer", 400, body={"project": rnd("missing")})


@check("versions")
def version_patch_rename_and_run():
    pc = project()
    rc = user_run(pc)
    pc.create_artifact_version({"name": "v1"})
    pc.patch_artifact_version("v1", {"name": "v2", "run": rc.run_uuid, "readme": "# r"})
    d = js("GET", purl(pc) + "/versions/artifact/v2")
    eq((d["run"], d["readme"]), (rc.run_uuid, "# r"))
    http("PATCH", purl(pc) + "/versions/artifact/v2", 200, body={"run": None})
    eq(js("GET", purl(pc) + "/versions/artifact/v2")["run"], None)


@check("versions")
def run_settings_show_component_versions():
    pc = project()
    pc.register_component_version("v1", content=COMPONENT)
    r = js("GET", purl(pc) + "/versions/component/v1")
    need(r["state"], "state")
