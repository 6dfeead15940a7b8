"""Health, installation, paths and errors that every client relies on."""

import re

from ..session import API, check, eq, has, HEX32, http, ISO, js, need, OWN, project, purl, rnd

from polyaxon.client import PolyaxonClient


@check("basics")
def healthz():
    http("GET", "/healthz", 200)
    http("GET", "/healthz/", 200)


@check("basics")
def installation():
    d = js("GET", API + "/installation")
    need(HEX32.match(d["key"]), "key %r" % d["key"])
    need(re.match(r"^\d+\.\d+\.\d+", d["version"]), d["version"])
    for k in ("dist", "mode"):
        has(d, k, "installation keys")
    i = PolyaxonClient().versions_v1.get_installation()
    eq(i.version, d["version"])


@check("basics")
def compatibility_is_a_json_object():
    d = js("GET", API + "/compatibility/%s/2-18-0/cli" % ("0" * 32))
    need(isinstance(d, dict), "not an object")


@check("basics")
def unknown_path_is_404():
    http("GET", API + "/default/x/y/z/unknown", 404)
    http("GET", "/nowhere", 404)


@check("basics")
def trailing_slash_is_optional():
    pc = project()
    for p in ("", "/"):
        eq(js("GET", purl(pc) + p)["name"], pc.project)
        js("GET", purl(pc) + "/runs" + p)
        js("GET", OWN + "/projects/list" + p)


@check("basics")
def wrong_method_is_405():
    pc = project()
    http("POST", purl(pc), 405, body={})
    http("GET", purl(pc) + "/archive", 405)


@check("basics")
def malformed_json_is_400():
    pc = project()
    r = http("PATCH", purl(pc), 400, data="{bad", headers={"Content-Type": "application/json"})
    has(r.json(), "detail")


@check("basics")
def missing_object_is_404_with_detail():
    r = http("GET", OWN + "/" + rnd("missing"), 404)
    has(r.json(), "detail")


@check("basics")
def token_header_is_accepted_without_auth():
    js("GET", OWN + "/projects/list", headers={"Authorization": "Token abcdef"})


@check("basics")
def ui_index_is_served():
    for p in ("/ui/", "/ui/default/some-project/runs"):
        r = http("GET", p, 200)
        has(r.headers["content-type"], "text/html")


@check("basics")
def datetimes_are_utc_iso8601():
    pc = project()
    d = js("GET", purl(pc))
    for k in ("created_at", "updated_at"):
        need(ISO.match(d[k]), d[k])
    need(d["created_at"].endswith(("Z", "+00:00")), d["created_at"])
