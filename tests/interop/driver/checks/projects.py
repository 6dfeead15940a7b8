"""Projects: create, list, change, bookmark, archive and delete."""

import time

from ..session import (
    check,
    eq,
    fails,
    get,
    has,
    HEX32,
    http,
    js,
    names,
    need,
    OWN,
    OWNER,
    project,
    purl,
    rnd,
    user_run,
    utc,
)

from polyaxon.client import PolyaxonClient
from polyaxon.client import ProjectClient


@check("projects")
def project_create_minimal():
    name = rnd()
    d = http("POST", OWN + "/projects/create", 201, body={"name": name}).json()
    eq(d["name"], name)
    need(HEX32.match(d["uuid"]), d["uuid"])
    for k in ("description", "tags", "user", "readme"):
        eq(d.get(k, "absent"), None, k)


@check("projects")
def project_create_full():
    pc = project(description="desc", tags=["a", "b"], readme="# hi")
    d = pc.project_data
    eq((d.description, sorted(d.tags), d.readme), ("desc", ["a", "b"], "# hi"))


@check("projects")
def project_create_ignores_unknown_fields():
    name = rnd()
    http("POST", OWN + "/projects/create", 201, body={"name": name, "is_public": True, "surprise": 1})


@check("projects")
def project_create_duplicate_is_400():
    pc = project()
    e = fails(400, ProjectClient(owner=OWNER, project=pc.project).create, {"name": pc.project})
    has(str(e.body), "name")


@check("projects")
def project_create_bad_slug_is_400():
    for bad in ("has space", "a/b", "", "é"):
        d = http("POST", OWN + "/projects/create", 400, body={"name": bad}).json()
        has(d, "name", "error keys for %r" % bad)
    has(http("POST", OWN + "/projects/create", 400, body={}).json(), "name")


@check("projects")
def project_get_shape():
    pc = project(description="x")
    d = js("GET", purl(pc))
    for k in (
        "uuid",
        "name",
        "description",
        "tags",
        "user",
        "created_at",
        "updated_at",
        "bookmarked",
        "readme",
        "live_state",
    ):
        has(d, k, "project keys")
    eq((d["bookmarked"], d["live_state"]), (False, 1))
    pc.refresh_data()
    eq(pc.project_data.description, "x")


@check("projects")
def project_get_missing_is_404():
    fails(404, ProjectClient(owner=OWNER, project=rnd()).refresh_data)


@check("projects")
def project_get_or_create():
    name = rnd()
    ProjectClient(owner=OWNER, project=name).get_or_create()
    pc = ProjectClient(owner=OWNER, project=name)
    pc.get_or_create()
    eq(pc.project_data.name, name)


@check("projects")
def project_list_envelope():
    pc = project()
    d = js("GET", OWN + "/projects/list")
    for k in ("count", "next", "previous", "results"):
        has(d, k, "list keys")
    eq(d["results"][0]["name"], pc.project, "newest first")
    need("readme" not in d["results"][0], "list rows carry no readme")
    has(d["results"][0], "bookmarked")


@check("projects")
def project_list_pagination():
    for _ in range(3):
        project()
    a = ProjectClient(owner=OWNER).list(limit=2)
    b = ProjectClient(owner=OWNER).list(limit=2, offset=2)
    need(a.count >= 3 and a.count == b.count)
    eq(len(a.results), 2)
    need(not ({r.name for r in a.results} & {r.name for r in b.results}), "pages overlap")
    need(a.next and "offset=2" in a.next and "limit=2" in a.next and a.next.startswith("http"), "next: %r" % a.next)
    need(a.previous is None and b.previous is not None, "previous")


@check("projects")
def project_list_offset_past_end():
    d = js("GET", OWN + "/projects/list", query={"offset": 10**6})
    eq((d["results"], d["next"]), ([], None))


@check("projects")
def project_names():
    pc = project()
    d = js("GET", OWN + "/projects/names")
    eq(d["results"][0], {"name": pc.project})
    PolyaxonClient().projects_v1.list_project_names(OWNER, limit=5)


@check("projects")
def project_patch():
    pc = project(description="a", tags=["x"])
    r = pc.update({"description": "b"})
    eq((r.description, r.tags), ("b", ["x"]))
    r = pc.update({"tags": ["y", "z"], "readme": "R"})
    eq((sorted(r.tags), r.readme, r.description), (["y", "z"], "R", "b"))
    http("PATCH", purl(pc), 200, body={"description": None})
    eq(js("GET", purl(pc))["description"], None, "explicit null clears")


@check("projects")
def project_patch_moves_updated_at():
    pc = project()
    before = js("GET", purl(pc))
    time.sleep(0.02)
    after = http("PATCH", purl(pc), 200, body={"description": "z"}).json()
    eq(after["created_at"], before["created_at"])
    need(after["updated_at"] > before["updated_at"], "updated_at did not move")


@check("projects")
def project_rename():
    pc = project()
    old, new = pc.project, rnd()
    pc.update({"name": new})
    http("GET", OWN + "/" + old, 404)
    eq(js("GET", OWN + "/" + new)["name"], new)


@check("projects")
def project_put_needs_name():
    pc = project(description="d")
    http("PUT", purl(pc), 400, body={"description": "x"})
    d = http("PUT", purl(pc), 200, body={"name": pc.project, "description": "x"}).json()
    eq(d["description"], "x")


@check("projects")
def project_bookmark():
    pc, other = project(), project()
    c = PolyaxonClient().projects_v1
    c.bookmark_project(OWNER, pc.project)
    eq(js("GET", purl(pc))["bookmarked"], True)
    has(names(js("GET", OWN + "/projects/list", query={"bookmarks": "true"})), pc.project)
    rest = names(js("GET", OWN + "/projects/list", query={"bookmarks": "false"}))
    need(pc.project not in rest and other.project in rest, "bookmarks=false")
    c.unbookmark_project(OWNER, pc.project)
    eq(js("GET", purl(pc))["bookmarked"], False)


@check("projects")
def project_archive_restore():
    pc = project()
    rc = user_run(pc, name="r")
    c = PolyaxonClient().projects_v1
    c.archive_project(OWNER, pc.project)
    eq(js("GET", purl(pc))["live_state"], 0)
    need(pc.project not in names(js("GET", OWN + "/projects/list")), "still listed")
    has(names(js("GET", OWN + "/projects/list", query={"query": "live_state:0"})), pc.project)
    need(pc.project not in names(js("GET", OWN + "/projects/names")), "still in names")
    eq(get(rc)["live_state"], 0, "runs follow the project")
    c.restore_project(OWNER, pc.project)
    eq((js("GET", purl(pc))["live_state"], get(rc)["live_state"]), (1, 1))
    has(names(js("GET", OWN + "/projects/list")), pc.project)


@check("projects")
def project_delete():
    pc = project()
    pc.delete()
    http("GET", purl(pc), 404)
    need(pc.project not in names(js("GET", OWN + "/projects/list")), "still listed")
    fails(404, pc.delete)


@check("projects")
def project_query():
    tag = rnd("q")
    a = project(name=tag + "-a", description="alpha one", tags=["t1"]).project
    b = project(name=tag + "-b", tags=["t2"]).project
    q = lambda s: sorted(names(js("GET", OWN + "/projects/list", query={"query": s, "limit": 50})))  # noqa: E731
    eq(q("name:%s%%" % tag), [a, b])
    eq(q("name:%s" % a), [a])
    eq(q("name:%s|%s" % (a, b)), [a, b])
    eq(q("name:%s%%, name:~%s" % (tag, a)), [b])
    eq(q("name:%%%s%%, description:%%alpha%%" % tag), [a])
    eq(q("name:%s%%, description:nil" % tag), [b])
    uid = js("GET", OWN + "/" + a)["uuid"]
    eq(q("uuid:%s" % uid), [a])
    eq(q("id:%s" % uid), [a])
    eq(q("name:%s%%, created_at:>%s" % (tag, utc(-3600, "%Y-%m-%d %H:%M"))), [a, b])
    eq(q("name:%s%%, created_at:<2020-01-01" % tag), [])


@check("projects")
def project_query_errors():
    for bad in ("bogus:1", "name", "name:", "(name:a"):
        http("GET", OWN + "/projects/list", 400, query={"query": bad})


@check("projects")
def project_sort():
    tag = rnd("s")
    made = [project(name="%s-%s" % (tag, c)).project for c in "cab"]
    q = lambda s: names(js("GET", OWN + "/projects/list", query={"query": "name:%s%%" % tag, "sort": s}))  # noqa: E731
    eq(q("name"), sorted(made))
    eq(q("-name"), sorted(made, reverse=True))
    eq(q("created_at"), made)
    eq(q("-created_at"), made[::-1])
    eq(q("-name,bogus"), sorted(made, reverse=True), "unknown sort fields are ignored")
    http("PATCH", OWN + "/" + made[0], 200, body={"description": "touched"})
    eq(q("")[0], made[0], "default order is -updated_at")


@check("projects")
def project_tags_query_single():
    tag = rnd("g")
    a = project(name=tag + "-a", tags=["red", "blue"]).project
    project(name=tag + "-b", tags=["green"])
    q = lambda s: sorted(names(js("GET", OWN + "/projects/list", query={"query": s})))  # noqa: E731
    eq(q("name:%s%%, tags:red" % tag), [a])
