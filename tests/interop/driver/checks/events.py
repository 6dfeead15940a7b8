"""Events of one run and of several."""

from ..session import check, eq, http, js, need, project, surl, user_run
from ..files import metric_csv, put_file


def with_metrics(rc, **series):
    for n, values in series.items():
        put_file(rc, "events/metric", n + ".plx", metric_csv(values))
    return rc


@check("events")
def events_dict_orient():
    rc = with_metrics(user_run(project()), loss=[0.5, 0.25, 0.125])
    d = rc.get_events("metric", ["loss"], orient="dict").data
    eq((len(d), d[0]["name"], d[0]["kind"]), (1, "loss", "metric"))
    eq((d[0]["data"]["step"], d[0]["data"]["metric"]), ([0, 1, 2], [0.5, 0.25, 0.125]))
    need(d[0]["data"]["timestamp"][1].replace("T", " ").startswith("2026-01-01 00:00:01"), d[0]["data"]["timestamp"][1])


@check("events")
def events_default_orient_is_dict():
    rc = with_metrics(user_run(project()), loss=[1.0])
    d = js("GET", surl(rc, "events/metric"), query={"names": "loss"})
    eq(d["data"][0]["data"]["metric"], [1.0])


@check("events")
def events_csv_orient():
    rc = with_metrics(user_run(project()), loss=[0.5, 0.25])
    d = rc.get_events("metric", "loss", orient="csv").data
    eq(d[0]["data"], metric_csv([0.5, 0.25]).decode())


@check("events")
def events_many_names_and_missing():
    rc = with_metrics(user_run(project()), a=[1, 2], b=[3, 4])
    d = js("GET", surl(rc, "events/metric"), query={"names": "a,b,missing"})["data"]
    eq({e["name"]: e["data"]["metric"] for e in d}, {"a": [1.0, 2.0], "b": [3.0, 4.0]})
    eq(js("GET", surl(rc, "events/metric"), query={"names": ""})["data"], [])


@check("events")
def events_errors():
    rc = user_run(project())
    http("GET", surl(rc, "events/bogus"), 400, query={"names": "a"})


@check("events")
def events_multi_run():
    pc = project()
    a, b, c = with_metrics(user_run(pc), loss=[1]), with_metrics(user_run(pc), loss=[2], acc=[9]), user_run(pc)
    d = a.get_multi_run_events(
        "metric", runs=[a.run_uuid, b.run_uuid, c.run_uuid], names=["loss", "acc"], orient="dict"
    ).data
    eq(
        {k: sorted(e["name"] for e in v) for k, v in d.items()},
        {a.run_uuid: ["loss"], b.run_uuid: ["acc", "loss"], c.run_uuid: []},
    )
    eq([e for e in d[b.run_uuid] if e["name"] == "loss"][0]["data"]["metric"], [2.0])


@check("events")
def events_get_metrics_frame():
    rc = with_metrics(user_run(project()), loss=[0.5, 0.25], acc=[0.1, 0.2])
    m = rc.get_metrics(["loss", "acc"])
    eq(sorted(m), ["acc", "loss"])
    df = rc.get_metrics_as_tidy_df()
    eq(sorted(df[df.name == "loss"].metric), [0.25, 0.5])


@check("events")
def events_numeric_fidelity():
    values = [1e-12, 123456789.125, -0.5, 3, 1e30]
    rc = with_metrics(user_run(project()), v=values)
    eq(
        js("GET", surl(rc, "events/metric"), query={"names": "v"})["data"][0]["data"]["metric"],
        [float(v) for v in values],
    )


@check("events")
def resources_listing():
    rc = user_run(project())
    eq(js("GET", surl(rc, "resources"))["data"], [])
    rc2 = user_run(project())
    put_file(rc2, "resources/metric", "cpu.plx", metric_csv([10, 20]))
    put_file(rc2, "resources/metric", "mem.plx", metric_csv([1]))
    d = js("GET", surl(rc2, "resources"))["data"]
    eq({e["name"]: e["data"]["metric"] for e in d}, {"cpu": [10.0, 20.0], "mem": [1.0]})
    eq([e["name"] for e in js("GET", surl(rc2, "resources"), query={"names": "mem"})["data"]], ["mem"])
