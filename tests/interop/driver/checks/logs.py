"""Logs of a run."""

import json

from ..session import check, eq, finish, has, js, need, project, surl, user_run
from ..files import log_lines, with_logs


@check("logs")
def logs_of_a_run_without_logs():
    d = js("GET", surl(user_run(project()), "logs"))
    eq((d["logs"], d["last_file"], d["last_time"], d["files"]), ([], None, None, []))


@check("logs")
def logs_jsonl():
    rc = with_logs(user_run(project()), main=log_lines(3))
    finish(rc)
    d = rc.get_logs()
    eq([x.value for x in d.logs], ["line 0", "line 1", "line 2"])
    eq((d.logs[0].node, d.logs[0].pod, d.logs[0].container), ("node-a", "pod-0", "polyaxon-main"))
    need(d.logs[0].timestamp.isoformat().startswith("2026-01-01T00:00:00.000001"), d.logs[0].timestamp)
    eq((d.last_file, d.last_time), (None, None))


@check("logs")
def logs_merge_pods_by_time():
    rc = with_logs(
        user_run(project()),
        **{"pod-a": log_lines(2, "pod-a", "2026-01-01T00:00:00.500000", "a"), "pod-b": log_lines(2, "pod-b", text="b")}
    )
    d = js("GET", surl(rc, "logs"))
    eq([x["value"] for x in d["logs"]], ["b 0", "a 0", "b 1", "a 1"])
    for k in ("timestamp", "node", "pod", "container", "value"):
        has(d["logs"][0], k)


@check("logs")
def logs_unicode_and_ansi():
    line = (
        json.dumps(
            {"timestamp": "2026-01-01T00:00:00+00:00", "value": 'h\u00e9llo \u2603 \x1b[31mred\x1b[0m {"a": 1}|x'}
        )
        + "\n"
    )
    rc = with_logs(user_run(project()), main=line.encode())
    eq(js("GET", surl(rc, "logs"))["logs"][0]["value"], 'h\u00e9llo \u2603 \x1b[31mred\x1b[0m {"a": 1}|x')
