"""The official commands for versions and projects against our server."""

import pytest


@pytest.fixture(scope="module")
def promoted(shared_home):
    """A run with an artifact in its lineage, in a project of its own."""
    shared_home.official_cli("project", "create", "--name", "zoo", "--description", "d", "--tags", "a,b")
    run = shared_home.wait(shared_home.shell("mkdir -p $POLYAXON_RUN_OUTPUTS_PATH; true", "-p", "zoo"))
    client = shared_home.official("zoo", run["uuid"])
    client.upload_artifact(__file__, path="outputs/", overwrite=True)
    client.log_artifact_ref("outputs/test_official_versions.py", name="weights", kind="model")
    return {**run, "project": "zoo"}


def get(home, kind, version, project="zoo"):
    return home.get(f"/api/v1/default/{project}/versions/{kind.rstrip('s')}/{version}")


def test_projects_are_created_shown_changed_and_removed(shared_home, promoted):
    cli = shared_home.official_cli
    assert "zoo" in cli("project", "ls").stdout
    assert "zoo" in cli("project", "get", "-p", "zoo").stdout
    cli("project", "create", "--name", "passing")
    cli("project", "update", "-p", "passing", "--description", "new", "--tags", "x")
    assert shared_home.get("/api/v1/default/passing")["description"] == "new"
    cli("project", "create", "--name", "passing", code=1)
    cli("project", "delete", "-p", "passing", "-y")
    names = [row["name"] for row in shared_home.get("/api/v1/default/projects/list")["results"]]
    assert "passing" not in names


@pytest.mark.parametrize("kind", ["models", "artifacts"])
def test_versions_are_registered_from_a_run_and_listed(shared_home, promoted, kind):
    cli = shared_home.official_cli
    where = ["-p", "zoo", "-ver", "v1"]
    run = ["--run-uid", promoted["uuid"], "--artifacts", "weights"]
    cli(kind, "register", *where, "--description", "first", "--tags", "a,b", *run)
    cli(kind, "register", *where, code=1)
    cli(kind, "register", *where, "--description", "again", "--force")
    version = get(shared_home, kind, "v1")
    assert (version["description"], version["run"], version["artifacts"]) == ("again", promoted["uuid"], ["weights"])
    assert "v1" in cli(kind, "ls", "-p", "zoo").stdout
    assert "again" in cli(kind, "get", *where).stdout
    cli(kind, "stage", *where, "--to", "production", "--message", "good")
    assert get(shared_home, kind, "v1")["stage"] == "production"
    assert "good" in cli(kind, "stages", *where).stdout
    cli(kind, "update", *where, "--name", "v2", "--description", "new")
    assert get(shared_home, kind, "v2")["description"] == "new"
