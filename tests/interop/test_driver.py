"""The checks of `driver`: the official client, its command line and plain HTTP against both databases."""

import concurrent.futures
import os
import pathlib
import subprocess
import sys

import pytest

# Two processes with a server each, of about the same duration; the checks of agents take the whole queue of a server.
PARTS = [
    "cli,async_client,agents,pipelines,stats,concurrency",
    "basics,projects,runs,run_updates,lifecycle,statuses,bulk,lineage,versions,artifacts,events,logs,pql,tracking,offline",
]


def check(home, part):
    home.polyaxon("server", "start", "--no-agent")
    return drive(home.url(), "--strict", "-g", part)


def drive(url, *options):
    return subprocess.run(
        [sys.executable, "-m", "driver", *options],
        cwd=pathlib.Path(__file__).parent,
        env={**os.environ, "POLYAXON_HOST": url},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=900,
    )


@pytest.mark.timeout(1000)
def test_every_check_passes(make_home):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        results = list(pool.map(check, [make_home() for _ in PARTS], PARTS))
    shown = "\n".join(result.stdout + result.stderr for result in results)
    failures = [line for line in shown.splitlines() if line.startswith("FAIL")]
    assert not failures, "\n".join(failures)
    assert [result.returncode for result in results] == [0, 0], shown
    assert sum(line.startswith("PASS") for line in shown.splitlines()) == 200, shown
