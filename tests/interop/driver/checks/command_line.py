"""The official command line."""

import json
import os
import uuid

from ..session import (
    check,
    COMPONENT,
    eq,
    finish,
    fresh_dir,
    get,
    has,
    HOST,
    http,
    js,
    managed_run,
    names,
    need,
    OWN,
    project,
    purl,
    rnd,
    run_client,
    rurl,
    status_of,
    surl,
    user_run,
    wait_status,
    write,
)
from ..files import log_lines, with_logs
from ..programs import cli, cli_json
from ..records import DATA


def spec_dir(spec=None):
    d = fresh_dir()
    write(os.path.join(d, "polyaxonfile.yaml"), json.dumps(spec or COMPONENT))
    return d


@check("cli")
def cli_version_check_and_config():
    home = fresh_dir()
    cli("config", "set", "--host", HOST, env={"POLYAXON_HOME": home, "HOME": home})
    out = cli("config", "show", env={"POLYAXON_HOME": home, "HOME": home})
    has(out, HOST.split("//")[1])
    cli("version")


@check("cli")
def cli_project_create_get_ls():
    name = rnd()
    cli("project", "create", "--name", name, "--description", "from cli", "--tags", "a,b")
    d = js("GET", OWN + "/" + name)
    eq((d["description"], sorted(d["tags"])), ("from cli", ["a", "b"]))
    has(cli("project", "get", "-p", name), name)
    has(cli("project", "ls"), name)
    has(cli("project", "get", "-p", "default/" + name), "from cli")


@check("cli")
def cli_project_query():
    tag = rnd("c")
    project(name=tag + "-a")
    project(name=tag + "-b")
    out = cli("project", "ls", "-q", "name:%s%%" % tag, "-s", "-name")
    need(0 < out.find(tag + "-b") < out.find(tag + "-a"), out[-400:])


@check("cli")
def cli_errors_exit_non_zero():
    cli("project", "get", "-p", rnd("missing"), want=1)
    cli("ops", "get", "-p", project().project, "-uid", uuid.uuid4().hex, want=1)


@check("cli")
def cli_run_with_params():
    pc = project()
    r = cli_json(
        "run",
        "-p",
        pc.project,
        "-f",
        "polyaxonfile.yaml",
        "-P",
        "msg=fromcli",
        "-P",
        "lr=0.7",
        "--name",
        "clirun",
        "--tags",
        "x,y",
        "-o",
        "json",
        cwd=spec_dir(),
    )
    rc = run_client(pc, r["uuid"])
    wait_status(rc, "queued")
    d = get(rc)
    eq((d["name"], sorted(d["tags"]), d["inputs"]), ("clirun", ["x", "y"], {"lr": 0.7, "msg": "fromcli"}))
    has(r["url"], rc.run_uuid)


@check("cli")
def cli_run_upload():
    pc = project()
    d = spec_dir()
    write(os.path.join(d, "code/train.py"), "print(1)")
    out = cli(
        "run",
        "-p",
        pc.project,
        "-f",
        "polyaxonfile.yaml",
        "-P",
        "msg=m",
        "-u",
        "--upload-from",
        "code",
        "--upload-to",
        "src",
        cwd=d,
    )
    has(out, "A new run was created")
    row = js("GET", purl(pc) + "/runs")["results"][0]
    rc = run_client(pc, row["uuid"])
    wait_status(rc, "queued")
    eq((get(rc)["pending"], get(rc)["meta_info"]["upload_artifacts"]), (None, "src"))
    need("train.py" in json.dumps(js("GET", surl(rc, "artifacts/tree"), query={"path": "src"})), "uploaded file")
    has(names(js("GET", rurl(rc) + "/lineage/artifacts")), "src")


@check("cli")
def cli_run_local_process():
    pc = project()
    d = spec_dir(
        {
            "version": 1.1,
            "kind": "component",
            "run": {"kind": "job", "container": {"image": "none", "command": ["sh", "-c"], "args": ["echo local-ok"]}},
        }
    )
    cli("run", "-p", pc.project, "-f", "polyaxonfile.yaml", "--local", "--executor", "process", cwd=d, want=None)
    row = js("GET", purl(pc) + "/runs")["results"][0]
    eq(row["managed_by"], "cli")
    rc = run_client(pc, row["uuid"])
    need(status_of(rc) in ("succeeded", "running", "queued", "compiled", "scheduled", "starting"), status_of(rc))


@check("cli")
def cli_ops_ls():
    pc = project()
    for n, v in (("a", 0.1), ("b", 0.2)):
        rc = user_run(pc, name=n, tags=["t"])
        rc.log_outputs(async_req=False, loss=v)
    out = cli("ops", "ls", "-p", pc.project)
    has(out, "a")
    rows = cli_json("ops", "ls", "-p", pc.project, "-q", "metrics.loss:<0.15", "-o", "json")
    rows = rows["results"] if isinstance(rows, dict) else rows
    eq([r["name"] for r in rows], ["a"])
    rows = cli_json("ops", "ls", "-p", "default/" + pc.project, "-s", "-name", "-l", "1", "-o", "json")
    rows = rows["results"] if isinstance(rows, dict) else rows
    eq([r["name"] for r in rows], ["b"])
    has(cli("ops", "ls", "-p", pc.project, "--io"), "0.2")


@check("cli")
def cli_ops_get_statuses():
    pc = project()
    rc = user_run(pc, name="gs")
    finish(rc)
    eq(cli_json("ops", "get", "-p", pc.project, "-uid", rc.run_uuid, "-o", "json")["name"], "gs")
    out = cli("ops", "statuses", "-p", pc.project, "-uid", rc.run_uuid)
    has(out, "succeeded")


@check("cli")
def cli_ops_logs():
    pc = project()
    rc = with_logs(user_run(pc, name="lg"), main=log_lines(3))
    finish(rc)
    out = cli("ops", "logs", "-p", pc.project, "-uid", rc.run_uuid)
    for i in range(3):
        has(out, "line %d" % i)


@check("cli")
def cli_ops_update():
    pc = project()
    rc = user_run(pc, name="u")
    cli("ops", "update", "-p", pc.project, "-uid", rc.run_uuid, "--name", "u2", "--description", "dd", "--tags", "p,q")
    d = get(rc)
    eq((d["name"], d["description"], sorted(d["tags"])), ("u2", "dd", ["p", "q"]))


@check("cli")
def cli_ops_stop_delete():
    pc = project()
    rc = user_run(pc, name="s")
    cli("ops", "stop", "-p", pc.project, "-uid", rc.run_uuid, "-y")
    wait_status(rc, "stopped")
    cli("ops", "delete", "-p", pc.project, "-uid", rc.run_uuid, "-y")
    eq(js("GET", purl(pc) + "/runs")["count"], 0)


@check("cli")
def cli_ops_restart_copy_resume():
    pc = project()
    rc = managed_run(pc)
    finish(rc)
    cli("ops", "restart", "-p", pc.project, "-uid", rc.run_uuid, "--name", "again", cwd=fresh_dir())
    cli("ops", "restart", "-p", pc.project, "-uid", rc.run_uuid, "--copy", "--name", "copied", cwd=fresh_dir())
    cli("ops", "resume", "-p", pc.project, "-uid", rc.run_uuid, "--name", "resumed", cwd=fresh_dir())
    d = {r["name"]: r for r in js("GET", purl(pc) + "/runs")["results"]}
    eq(
        (d["again"]["original"]["kind"], d["copied"]["original"]["kind"], d["resumed"]["uuid"]),
        ("restart", "copy", rc.run_uuid),
    )


@check("cli")
def cli_ops_upload_and_artifacts():
    pc = project()
    rc = user_run(pc, name="u")
    d = fresh_dir()
    write(os.path.join(d, "data/one.txt"), "1")
    write(os.path.join(d, "data/sub/two.txt"), "2")
    cli("ops", "upload", "-p", pc.project, "-uid", rc.run_uuid, "--path-from", "data", "--path-to", "up", cwd=d)
    need("one.txt" in json.dumps(js("GET", surl(rc, "artifacts/tree"), query={"path": "up"})), "one.txt")
    out = fresh_dir()
    cli("ops", "artifacts", "-p", pc.project, "-uid", rc.run_uuid, "-d", "up", "--path", out)
    need({"one.txt", "two.txt"} <= {f for _, _, fs in os.walk(out) for f in fs}, "downloaded files")


@check("cli")
def cli_init_caches_the_project():
    pc = project()
    d = spec_dir()
    cli("init", "-p", pc.project, "-y", cwd=d)
    r = cli_json("run", "-f", "polyaxonfile.yaml", "-P", "msg=m", "-o", "json", cwd=d)
    http("GET", purl(pc) + "/runs/" + r["uuid"], 200)


@check("cli")
def cli_component_versions():
    pc = project()
    d = spec_dir()
    cli(
        "components",
        "register",
        "-p",
        pc.project,
        "-ver",
        "v1",
        "-f",
        "polyaxonfile.yaml",
        "--description",
        "c",
        "--tags",
        "x",
        cwd=d,
    )
    v = pc.get_component_version("v1")
    eq((v.description, v.tags), ("c", ["x"]))
    cli("components", "stage", "-p", pc.project, "-ver", "v1", "-to", "production", "--reason", "R")
    eq(js("GET", purl(pc) + "/versions/component/v1")["stage"], "production")
    cli("components", "copy", "-p", pc.project, "-ver", "v1", "--name", "v2")
    cli("components", "update", "-p", pc.project, "-ver", "v2", "--description", "second")
    eq(pc.get_component_version("v2").description, "second")
    cli("components", "delete", "-p", pc.project, "-ver", "v2", "-y")
    eq([x.name for x in pc.list_component_versions().results], ["v1"])


@check("cli")
def cli_run_from_registered_component():
    pc = project()
    pc.register_component_version("v1", content=COMPONENT)
    r = cli_json("run", "-p", pc.project, "--hub", "default/%s:v1" % pc.project, "-P", "msg=hub", "-o", "json")
    rc = run_client(pc, r["uuid"])
    wait_status(rc, "queued")
    eq(get(rc)["inputs"]["msg"], "hub")


@check("cli")
def cli_artifact_versions():
    pc = project()
    rc = user_run(pc, name="prep")
    rc.log_artifact_lineage([DATA], async_req=False)
    cli("artifacts", "register", "-p", pc.project, "-ver", "a1", "--run-uid", rc.run_uuid, "--artifacts", "data")
    eq(pc.get_artifact_version("a1").artifacts, ["data"])
    d = fresh_dir()
    cli("artifacts", "pull", "-p", pc.project, "-ver", "a1", "--path", d, "--no-artifacts", want=None)
    has(cli("artifacts", "ls", "-p", pc.project), "a1")


@check("cli")
def cli_dashboard_urls():
    pc = project()
    rc = user_run(pc)
    has(cli("project", "dashboard", "-p", pc.project, "--url"), "/ui/default/" + pc.project)
    has(cli("ops", "dashboard", "-p", pc.project, "-uid", rc.run_uuid, "--url"), rc.run_uuid)
