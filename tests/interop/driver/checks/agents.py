"""The protocol of agents, and the global queue."""

import json

from ..session import (
    API,
    check,
    eq,
    has,
    http,
    js,
    managed_run,
    need,
    OWN,
    OWNER,
    project,
    set_status,
    status_of,
    wait_status,
)

from polyaxon.client import PolyaxonClient


def drain():
    """pull the global queue until it is empty and finish everything that was handed out (also leftovers of other sessions)"""
    for _ in range(30):
        state = js("GET", API + "/orgs/%s/agents/state" % OWNER)["state"]
        for item in (state.get("queued") or []) + (state.get("stopping") or []):
            owner, proj, _, uid = item[0].split(".")
            http(
                "POST",
                "%s/%s/%s/runs/%s/statuses" % (API, owner, proj, uid),
                body={"condition": {"type": "stopped", "status": True}},
            )
        if state.get("queued"):
            continue
        if not state.get("full"):
            return
        # runs left over by other sessions use up the concurrency budget: finish them
        for p in js("GET", OWN + "/projects/names", query={"limit": 100000})["results"]:
            q = "status:scheduled|starting|running|processing|warning|unschedulable|unknown, is_managed:1, created_at:_any_"
            for r in js("GET", "%s/%s/runs" % (OWN, p["name"]), query={"query": q, "limit": 100})["results"]:
                if r["kind"] in ("job", "service"):
                    http(
                        "POST",
                        "%s/%s/runs/%s/statuses" % (OWN, p["name"], r["uuid"]),
                        body={"condition": {"type": "stopped", "status": True}},
                    )


@check("agents")
def agent_state_envelope():
    d = js("GET", API + "/orgs/%s/agents/state" % OWNER)
    for it in d["state"].get("queued") or []:
        _, proj, _, uid = it[0].split(".")
        http(
            "POST", "%s/%s/runs/%s/statuses" % (OWN, proj, uid), body={"condition": {"type": "stopped", "status": True}}
        )
    eq((d["status"], d["live_state"]), ("running", 1))
    for k in ("queued", "stopping", "deleting", "checks", "full"):
        has(d["state"], k)


@check("agents")
def agent_pulls_a_queued_run_once():
    drain()
    pc = project()
    rc = managed_run(pc, name="pull-me")
    wait_status(rc, "queued")
    st = PolyaxonClient().agents_v1.get_global_state(owner=OWNER)
    mine = [q for q in st.state.queued if q[0].endswith(rc.run_uuid)]
    eq(len(mine), 1)
    instance, kind, name, content, namespace = mine[0]
    eq((instance, kind, name), ("%s.%s.runs.%s" % (OWNER, pc.project, rc.run_uuid), "job", "pull-me"))
    eq(json.loads(content)["kind"], "compiled_operation")
    wait_status(rc, "scheduled")
    st = PolyaxonClient().agents_v1.get_global_state(owner=OWNER)
    need(not [q for q in st.state.queued if q[0].endswith(rc.run_uuid)], "handed out twice")
    set_status(rc, "running")
    set_status(rc, "succeeded")
    eq(status_of(rc), "succeeded")


@check("agents")
def agent_gets_stop_requests():
    drain()
    rc = managed_run(project())
    wait_status(rc, "queued")
    js("GET", API + "/orgs/%s/agents/state" % OWNER)
    set_status(rc, "running")
    rc.stop()
    wait_status(rc, "stopping")
    st = js("GET", API + "/orgs/%s/agents/state" % OWNER)["state"]
    mine = [s for s in st["stopping"] if s[0].endswith(rc.run_uuid)]
    eq((len(mine), mine[0][1]), (1, "job"))
    set_status(rc, "stopped")
    st = js("GET", API + "/orgs/%s/agents/state" % OWNER)["state"]
    need(not [s for s in st["stopping"] if s[0].endswith(rc.run_uuid)], "still listed")


@check("agents")
def agent_cron():
    d = PolyaxonClient().agents_v1.cron_agent(owner=OWNER, body={})
    eq(d.live_state, 1)
    d = js("POST", API + "/orgs/%s/agents/cron" % OWNER, body={"state": True})
    has(d["state"], "deleting")
