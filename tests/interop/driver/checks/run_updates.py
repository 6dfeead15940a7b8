"""Runs: change fields, merge inputs and outputs."""

from ..session import check, eq, get, has, http, need, project, run_client, rurl, until, user_run
from ..records import RUN_KEYS


@check("run_updates")
def run_set_name_description_readme():
    pc = project()
    rc = user_run(pc, name="a")
    rc.set_name("b", async_req=False)
    rc.set_description("d", async_req=False)
    rc.set_readme("# r", async_req=False)
    d = get(rc)
    eq((d["name"], d["description"], d["readme"]), ("b", "d", "# r"))


@check("run_updates")
def run_patch_bad_name_is_400():
    rc = user_run(project(), name="a")
    has(http("PATCH", rurl(rc), 400, body={"name": "not ok"}).json(), "name")


@check("run_updates")
def run_inputs_merge_and_reset():
    rc = user_run(project())
    rc.log_inputs(async_req=False, a=1, b="x")
    eq(get(rc)["inputs"], {"a": 1, "b": "x"})
    rc.log_inputs(async_req=False, b="y", c=[1, 2], d={"k": 1.5})
    eq(get(rc)["inputs"], {"a": 1, "b": "y", "c": [1, 2], "d": {"k": 1.5}})
    rc.log_inputs(reset=True, async_req=False, z=0)
    eq(get(rc)["inputs"], {"z": 0})


@check("run_updates")
def run_outputs_merge_and_reset():
    rc = user_run(project())
    rc.log_outputs(async_req=False, loss=0.5, acc=0.1)
    rc.log_outputs(async_req=False, loss=0.25)
    eq(get(rc)["outputs"], {"loss": 0.25, "acc": 0.1})
    rc.log_outputs(reset=True, async_req=False, only=1)
    eq(get(rc)["outputs"], {"only": 1})


@check("run_updates")
def run_meta_merge():
    rc = user_run(project(), meta_info={"a": 1})
    rc.log_meta(async_req=False, b=True)
    eq(get(rc)["meta_info"], {"a": 1, "b": True})
    rc.log_progress(0.5)
    until(lambda: get(rc)["meta_info"].get("progress") == 0.5, what="progress")


@check("run_updates")
def run_tags_merge_and_reset():
    rc = user_run(project(), tags=["a"])
    rc.log_tags(["b", "a"], async_req=False)
    eq(sorted(get(rc)["tags"]), ["a", "b"])
    rc.log_tags(["c"], reset=True, async_req=False)
    eq(get(rc)["tags"], ["c"])


@check("run_updates")
def run_patch_ignores_read_only_and_unknown():
    rc = user_run(project(), name="a")
    before = get(rc)
    d = http(
        "PATCH",
        rurl(rc),
        200,
        body={
            "uuid": "0" * 32,
            "content": "x",
            "raw_content": "y",
            "created_at": "2001-01-01T00:00:00Z",
            "started_at": "2001-01-01T00:00:00Z",
            "surprise": 1,
            "project": "zz",
        },
    ).json()
    for k in ("uuid", "content", "raw_content", "created_at", "started_at", "project"):
        eq(d[k], before[k], k)


@check("run_updates")
def run_patch_returns_detail():
    rc = user_run(project(), name="a")
    d = http("PATCH", rurl(rc), 200, body={"description": "n"}).json()
    missing = [k for k in RUN_KEYS if k not in d]
    need(not missing, "missing keys %s" % missing)


@check("run_updates")
def run_inputs_get():
    rc = user_run(project())
    rc.log_inputs(async_req=False, p=2)
    eq(run_client(rc.project, rc.run_uuid).get_inputs(), {"p": 2})
