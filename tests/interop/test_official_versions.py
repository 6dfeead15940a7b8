"""The official commands for versions and projects against our server."""

import json

import pytest
from support import ROOT

KINDS = ["models", "artifacts", "components"]


@pytest.fixture(scope="module")
def promoted(each_home):
    """A run with an artifact in its lineage, in a project of its own."""
    each_home.official_cli("project", "create", "--name", "zoo", "--description", "d", "--tags", "a,b")
    run = each_home.wait(each_home.shell("mkdir -p $POLYAXON_RUN_OUTPUTS_PATH; true", "-p", "zoo"))
    client = each_home.official("zoo", run["uuid"])
    client.upload_artifact(__file__, path="outputs/", overwrite=True)
    path = "outputs/test_official_versions.py"
    client.log_artifact_ref(path, name="weights", kind="model", rel_path=path)
    return {**run, "project": "zoo"}


def get(home, kind, version, project="zoo"):
    return home.get(f"/api/v1/default/{project}/versions/{kind.rstrip('s')}/{version}")


def test_projects_are_created_shown_changed_and_removed(each_home, promoted):
    cli = each_home.official_cli
    assert "zoo" in cli("project", "ls").stdout
    assert "zoo" in cli("project", "get", "-p", "zoo").stdout
    cli("project", "create", "--name", "passing")
    cli("project", "update", "-p", "passing", "--description", "new", "--tags", "x")
    assert each_home.get("/api/v1/default/passing")["description"] == "new"
    cli("project", "create", "--name", "passing", code=1)
    cli("project", "delete", "-p", "passing", "-y")
    names = [row["name"] for row in each_home.get("/api/v1/default/projects/list")["results"]]
    assert "passing" not in names


@pytest.mark.parametrize("kind", ["models", "artifacts"])
def test_versions_are_registered_from_a_run_and_listed(each_home, promoted, kind):
    cli = each_home.official_cli
    where = ["-p", "zoo", "-ver", "v1"]
    run = ["--run-uid", promoted["uuid"], "--artifacts", "weights"]
    cli(kind, "register", *where, "--description", "first", "--tags", "a,b", *run)
    cli(kind, "register", *where, code=1)
    cli(kind, "register", *where, "--description", "again", "--force")
    version = get(each_home, kind, "v1")
    assert (version["description"], version["run"], version["artifacts"]) == ("again", promoted["uuid"], ["weights"])
    assert "v1" in cli(kind, "ls", "-p", "zoo").stdout
    assert "again" in cli(kind, "get", *where).stdout
    cli(kind, "stage", *where, "--to", "production", "--message", "good")
    assert get(each_home, kind, "v1")["stage"] == "production"
    assert "good" in cli(kind, "stages", *where).stdout
    cli(kind, "update", *where, "--name", "v2", "--description", "new")
    assert get(each_home, kind, "v2")["description"] == "new"


@pytest.mark.parametrize("kind", ["models", "artifacts"])
def test_versions_are_pulled_pushed_copied_moved_and_removed(each_home, promoted, kind):
    cli = each_home.official_cli
    run = ["--run-uid", promoted["uuid"], "--artifacts", "weights"]
    cli(kind, "register", "-p", "zoo", "-ver", "p1", *run)
    cli(kind, "pull", "-p", "zoo", "-ver", "p1", "--path", each_home.work / "pulled")
    pulled = [path.name for path in (each_home.work / "pulled").rglob("*") if path.is_file()]
    assert "test_official_versions.py" in pulled
    cli(kind, "copy", "-p", "zoo", "-ver", "p1", "--to-project", "zoo", "--name", "p2")
    assert get(each_home, kind, "p2")["run"] == promoted["uuid"]
    each_home.polyaxon("project", "create", "--name", f"other-{kind}")
    cli(kind, "transfer", "-p", "zoo", "-ver", "p2", "--to-project", f"other-{kind}")
    assert get(each_home, kind, "p2", f"other-{kind}")["name"] == "p2"
    cli(kind, "delete", "-p", "zoo", "-ver", "p1", "-y")
    names = [row["name"] for row in each_home.get(f"/api/v1/default/zoo/versions/{kind[:-1]}/names")["results"]]
    assert "p1" not in names


def test_components_are_registered_and_run_by_name(each_home, promoted):
    cli = each_home.official_cli
    where = ["-p", "zoo", "-ver", "c1"]
    cli("components", "register", *where, "-f", ROOT / "hub/quick-start/latest.yaml", "--description", "d")
    version = get(each_home, "components", "c1")
    assert version["state"]
    cli("components", "update", *where, "--description", "changed")
    assert get(each_home, "components", "c1")["description"] == "changed"
    cli("components", "copy", *where, "--to-project", "zoo", "--name", "c2")
    assert get(each_home, "components", "c2")["state"] == version["state"]
    result = cli("run", "-p", "zoo", "--hub", "default/zoo:c1", "-P", "epochs=3", "-o", "json")
    run = each_home.run({"uuid": json.loads(result.stdout)["uuid"], "project": "zoo"})
    component = run["settings"]["component"]
    assert component["state"] == version["state"]
    assert [known["name"] for known in component["versions"]] == ["c1", "c2"]
    cli("components", "stage", *where, "--to", "production")
    assert get(each_home, "components", "c1")["stage"] == "production"
    packed = each_home.work / "packed"
    cli("components", "pull", *where, "--path", packed)
    cli("components", "delete", *where, "-y")
    assert get(each_home, "components", "c2")["name"] == "c2"
    cli("components", "push", *where, "--path", packed)
    assert get(each_home, "components", "c1")["state"] == version["state"]
