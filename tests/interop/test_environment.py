"""A job sees the world of the person who submitted it, and the paths that the file format promises."""

import json
import subprocess


def test_a_job_starts_where_run_was_typed(shared_home):
    folder = shared_home.work / "some folder"
    folder.mkdir()
    run = shared_home.shell("pwd", cwd=folder)
    assert shared_home.wait(run)["status"] == "succeeded"
    assert shared_home.logs(run) == [str(folder)]


def test_a_job_has_the_path_of_its_submitter(shared_home):
    folder = shared_home.work / "programs"
    folder.mkdir()
    program = folder / "only-here"
    program.write_text("#!/bin/sh\necho found\n")
    program.chmod(0o755)
    run = shared_home.shell("only-here", PATH=f"{folder}:/usr/bin:/bin")
    assert shared_home.wait(run)["status"] == "succeeded"
    assert shared_home.logs(run) == ["found"]


def test_a_job_does_not_get_the_secrets_of_its_submitter(shared_home):
    run = shared_home.shell('echo "secret=$SECRET_TOKEN venv=$VIRTUAL_ENV"', SECRET_TOKEN="hidden", VIRTUAL_ENV="/venv")
    assert shared_home.wait(run)["status"] == "succeeded"
    assert shared_home.logs(run) == ["secret= venv=/venv"]


def test_env_params_and_context_paths_reach_the_job(shared_home):
    file = shared_home.work / "paths.yaml"
    file.write_text(
        """
        kind: component
        inputs:
          - { name: rate, type: float, value: 0.5, toEnv: RATE }
          - { name: quiet, type: bool, isFlag: true, value: true }
        run:
          kind: job
          container:
            image: none
            env: [{ name: LEVEL, value: "3" }]
            command: [sh, -c]
            args:
              - |
                echo "$RATE $LEVEL $1 $2 {{ globals.name }}"
                echo hello > "{{ globals.run_outputs_path }}/hello.txt"
                [ "{{ globals.run_artifacts_path }}" = "$POLYAXON_CONTEXT_ROOT/artifacts/{{ globals.uuid }}" ] && echo same
              - sh
              - "{{ params.rate.as_arg }}"
              - "{{ params.quiet.as_arg }}"
        """
    )
    run = shared_home.submit("-f", file, "--name", "paths")
    assert shared_home.wait(run)["status"] == "succeeded"
    assert shared_home.logs(run) == ["0.5 3 --rate=0.5 --quiet paths", "same"]
    tree = shared_home.get(
        f"/streams/v1/polyaxon/default/{run['project']}/runs/{run['uuid']}/artifacts/tree?path=outputs"
    )
    assert "hello.txt" in json.dumps(tree)


def test_a_file_is_prepared_before_the_job(shared_home):
    file = shared_home.work / "init.yaml"
    file.write_text(
        """
        kind: component
        run:
          kind: job
          init:
            - file: { filename: greet.sh, content: "echo greetings", chmod: "+x" }
          container:
            image: none
            command: [sh, "{{ globals.artifacts_path }}/greet.sh"]
        """
    )
    run = shared_home.submit("-f", file)
    assert shared_home.wait(run)["status"] == "succeeded", shared_home.logs(run)
    assert "greetings" in shared_home.logs(run)


def test_a_git_repository_is_prepared_before_the_job(shared_home):
    repository = shared_home.work / "repository"
    commit(repository, {"say.sh": "echo from git\n"})
    file = shared_home.work / "git.yaml"
    file.write_text(
        f"""
        kind: component
        run:
          kind: job
          init:
            - git: {{ url: "file://{repository}" }}
          container:
            image: none
            workingDir: "{{{{ globals.artifacts_path }}}}/repository"
            command: [sh, say.sh]
        """
    )
    run = shared_home.submit("-f", file)
    assert shared_home.wait(run)["status"] == "succeeded", shared_home.logs(run)
    assert shared_home.logs(run)[-1] == "from git"


def test_the_code_of_the_folder_is_recorded(shared_home):
    repository = shared_home.work / "my-code"
    revision = commit(repository, {"train.sh": "echo one\n"})
    (repository / "train.sh").write_text("echo two\n")
    run = shared_home.shell("sh train.sh", cwd=repository)
    assert shared_home.wait(run)["status"] == "succeeded"
    rows = shared_home.get(f"/api/v1/default/{run['project']}/runs/{run['uuid']}/lineage/artifacts")["results"]
    references = [row for row in rows if row["kind"] == "coderef"]
    assert [row["summary"]["commit"] for row in references] == [revision]
    diff = shared_home.state / "artifacts" / run["uuid"] / "code" / "uncommitted.diff"
    assert "+echo two" in diff.read_text()


def commit(folder, files):
    """Makes a repository with one commit and returns the commit."""
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    git = ["git", "-C", str(folder), "-c", "user.name=Tester", "-c", "user.email=tester@example.com"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "--quiet", "--message=First"], check=True)
    return subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
