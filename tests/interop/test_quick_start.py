"""The tutorial's files, run as a user runs them, and read back with the official client."""

import contextlib
import functools
import http.server
import json
import threading

import pytest
from support import QUICK_START, ROOT


@pytest.fixture(scope="module")
def trained(shared_home):
    """The operation of the tutorial after its end, with what the terminal showed."""
    result = shared_home.polyaxon("run", "-f", "examples/quick-start/operation.yaml", "-l", "-w", cwd=ROOT)
    run = json.loads(shared_home.polyaxon("ops", "get", "-uid", "@last", "-o", "json").stdout)
    return run, result


def test_the_terminal_shows_the_training(trained):
    _, result = trained
    shown = result.stdout + result.stderr
    assert "epoch 10/10" in shown
    assert "succeeded" in shown


def test_the_run_ends_with_its_inputs_and_outputs(trained):
    run, _ = trained
    assert run["status"] == "succeeded"
    assert run["name"] == "digits"
    assert {"quick-start", "digits"} <= set(run["tags"])
    assert run["inputs"]["epochs"] == 10
    assert run["inputs"]["hidden_sizes"] == [64, 32]
    assert run["inputs"]["shuffle"] is True
    assert 0 < run["outputs"]["loss"] < 0.5
    assert 0.9 < run["outputs"]["accuracy"] <= 1


def test_the_official_client_reads_the_metrics(trained, shared_home):
    run, _ = trained
    client = shared_home.official(run["project"], run["uuid"])
    data = client.get_multi_run_events(
        kind="metric", runs=[run["uuid"]], names=["loss", "accuracy"], orient="dict"
    ).data
    series = {event["name"]: event["data"] for event in data[run["uuid"]]}
    assert sorted(series) == ["accuracy", "loss"]
    for name, events in series.items():
        assert events["step"] == list(range(1, 11))
        assert events["metric"][-1] == pytest.approx(run["outputs"][name])
    assert sorted(client.get_metrics(["loss", "accuracy"])) == ["accuracy", "loss"]


def test_the_official_client_reads_run_statuses_and_logs(trained, shared_home):
    run, _ = trained
    client = shared_home.official(run["project"], run["uuid"])
    client.refresh_data()
    assert client.run_data.status == "succeeded"
    assert client.run_data.outputs["accuracy"] == run["outputs"]["accuracy"]
    status, conditions = client.get_statuses()
    assert status == "succeeded"
    types = [condition.type for condition in conditions]
    assert types[0] == "created"
    assert types[-1] == "succeeded"
    assert types == sorted(types, key=types.index)
    logs = client.get_logs()
    values = [line.value for line in logs.logs]
    assert sum(value.startswith("epoch ") for value in values) == 10


def test_the_lineage_names_model_data_and_code(trained, shared_home):
    run, _ = trained
    client = shared_home.official(run["project"], run["uuid"])
    rows = {(row.kind, row.name): row for row in client.get_artifacts_lineage(limit=100).results}
    assert ("model", "digits-network") in rows
    assert rows["model", "digits-network"].is_input is False
    assert rows["model", "digits-network"].path == "outputs/model.npz"
    assert ("data", "digits") in rows
    assert rows["data", "digits"].is_input is True
    assert ("metric", "accuracy") in rows
    assert rows["metric", "accuracy"].summary["metric"]["last"] == pytest.approx(run["outputs"]["accuracy"])
    assert any(kind == "coderef" for kind, _ in rows)


def test_the_model_can_be_downloaded(trained, shared_home, tmp_path):
    import numpy

    run, _ = trained
    client = shared_home.official(run["project"], run["uuid"])
    tree = client.get_artifacts_tree(path="outputs")
    assert "model.npz" in tree.files
    path = client.download_artifact(path="outputs/model.npz", path_to=str(tmp_path))
    with numpy.load(path) as model:
        assert model["weights_0"].shape == (64, 64)

    # The same file through our own command line.
    shared_home.polyaxon(
        "ops", "artifacts", "-uid", run["uuid"], "-p", run["project"], "--file", "outputs/model.npz", "--path", tmp_path / "ours"
    )
    assert any((tmp_path / "ours").rglob("model.npz"))


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["-f", "simple.yaml"], "simple"),
        (["-f", "typed.yaml", "-P", "epochs=2", "-P", "activation=tanh"], "typed"),
        (["-f", "operation-hub.yaml", "-P", "epochs=5"], "flowers"),
        (["-f", "operation-gpu.yaml", "-P", "epochs=2"], "digits-gpu"),
        (["--hub", "quick-start", "-P", "epochs=5"], "quick-start"),
        (
            ["-f", "operation.yaml", "-f", "presets/node-selection.yaml", "-f", "presets/resources.yaml", "-P", "epochs=2"],
            "digits",
        ),
    ],
)
def test_every_file_of_the_tutorial_runs(shared_home, arguments, name):
    run = shared_home.submit(*arguments, cwd=QUICK_START)
    run = shared_home.wait(run)
    assert (run["name"], run["status"]) == (name, "succeeded"), shared_home.logs(run)
    assert 0.5 < run["outputs"]["accuracy"] <= 1


def test_a_preset_changes_the_operation(shared_home):
    run = shared_home.submit("-f", "operation.yaml", "-f", "presets/node-selection.yaml", "-P", "epochs=1", cwd=QUICK_START)
    assert "compute-nodes" in run["tags"]
    content = json.loads(shared_home.run(run)["content"])
    selector = content["run"]["environment"]["nodeSelector"]
    assert selector == {"node.kubernetes.io/instance-type": "compute"}


def test_a_component_from_an_address(shared_home):
    with serve(QUICK_START) as port:
        text = (QUICK_START / "operation-url.yaml").read_text().replace("8765", str(port))
        file = shared_home.work / "operation-url.yaml"
        file.write_text(text)
        run = shared_home.submit("-f", file, "-P", "epochs=2", cwd=QUICK_START)
        assert shared_home.wait(run)["status"] == "succeeded"
        run = shared_home.submit("--url", f"http://127.0.0.1:{port}/typed.yaml", "-P", "epochs=2", cwd=QUICK_START)
        assert shared_home.wait(run)["status"] == "succeeded"


@pytest.mark.parametrize(("name", "tool"), [("notebook", "jupyter"), ("tensorboard", "tensorboard")])
def test_services_say_what_is_missing(shared_home, name, tool):
    run = shared_home.submit("--hub", name, PATH="/usr/bin:/bin")
    run = shared_home.wait(run)
    assert run["status"] == "failed"
    assert run["kind"] == "service"
    text = "\n".join(shared_home.logs(run))
    assert f"no '{tool}' on the PATH" in text
    assert "pip install" in text


@pytest.mark.parametrize("file", ["simple.yaml", "operation.yaml", "operation-gpu.yaml"])
def test_the_official_checker_accepts_the_same_files(shared_home, file):
    result = shared_home.official_cli("check", "-f", QUICK_START / file)
    assert "Polyaxonfile valid" in result.stdout
    shared_home.polyaxon("check", "-f", QUICK_START / file)


@contextlib.contextmanager
def serve(folder):
    """Serves a folder on a free port of this machine."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
