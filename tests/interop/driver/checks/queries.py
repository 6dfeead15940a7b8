"""The query language on a set of known runs."""

from ..session import check, eq, js, names, need, project, purl, user_run
from ..dataset import ALL, pql, pql_dataset, pql_errors
from ..records import DATA


@check("pql")
def pql_default_window():
    pql(
        [
            ("status:succeeded", {"alpha"}),
            ("created_at:_any_", ALL | {"old"}),
            ("status:_any_", ALL),
            ("created_at:<%(d60)s", {"old"}),
            ("created_at:%(d90)s..%(d0)s", ALL | {"old"}),
            ("created_at:last_month", ALL),
        ]
    )
    pc, _, _ = pql_dataset()
    eq(sorted(names(js("GET", purl(pc) + "/runs"))), sorted(ALL))


@check("pql")
def pql_value_conditions():
    pql(
        [
            ("status:succeeded|failed", {"alpha", "beta"}),
            ("status:~succeeded", ALL - {"alpha"}),
            ("status:~succeeded|failed", {"gamma-1", "gamma-2"}),
            ("kind:service", {"gamma-2"}),
            ("kind:job|service", ALL),
            ("runtime:job", {"alpha", "beta", "gamma-1"}),
            ("status:SUCCEEDED", set()),
            ("managed_by:user", ALL),
            ("managed_by:agent", set()),
            ("is_managed:0", ALL),
            ("is_managed:true", set()),
            ("pending:nil", ALL),
        ]
    )


@check("pql")
def pql_boolean_grammar():
    pql(
        [
            ("status:succeeded , kind:job", {"alpha"}),
            ("status:succeeded AND kind:job", {"alpha"}),
            ("status:succeeded and kind:job", {"alpha"}),
            ("status:succeeded OR status:failed", {"alpha", "beta"}),
            ("status:succeeded | status:failed", {"alpha", "beta"}),
            ("(status:succeeded AND metrics.loss:<0.2) OR status:failed", {"alpha", "beta"}),
            ("kind:job, (status:failed OR status:running)", {"beta", "gamma-1"}),
        ]
    )


@check("pql")
def pql_search_conditions():
    pql(
        [
            ("name:alpha", {"alpha"}),
            ("name:~alpha", ALL - {"alpha"}),
            ("name:alpha|beta", {"alpha", "beta"}),
            ("name:~alpha|beta", {"gamma-1", "gamma-2"}),
            ("name:gamma%", {"gamma-1", "gamma-2"}),
            ("name:%a", {"alpha", "beta"}),
            ("name:%am%", {"gamma-1", "gamma-2"}),
            ("name:%AM%", {"gamma-1", "gamma-2"}),
            ("name:~gamma%", {"alpha", "beta"}),
            ("description:%first%", {"alpha"}),
            ("description:nil", ALL - {"alpha"}),
            ("description:~nil", {"alpha"}),
        ]
    )


@check("pql")
def pql_uuid():
    pql(
        [
            ("uuid:%(u_alpha)s", {"alpha"}),
            ("id:%(u_beta)s", {"beta"}),
            ("uid:%(u_alpha)s|%(u_beta)s", {"alpha", "beta"}),
        ]
    )


@check("pql")
def pql_datetimes():
    pql(
        [
            ("created_at:%(d4)s", {"alpha", "beta"}),
            ("created_at:~%(d4)s, status:_any_", {"gamma-1", "gamma-2", "old"}),
            ("created_at:>=%(d3)s", {"gamma-1", "gamma-2"}),
            ("created_at:%(d4)s..%(d3)s", {"alpha", "beta"}),
            ("created_at:%(d4)s 10:30 .. %(d4)s 12:00", {"beta"}),
            ("finished_at:nil", {"gamma-1", "gamma-2"}),
            ("finished_at:~nil", {"alpha", "beta"}),
            ("started_at:nil", {"gamma-2"}),
        ]
    )


@check("pql")
def pql_metrics():
    pql(
        [
            ("metrics.loss:<0.2", {"alpha", "gamma-1"}),
            ("metrics.loss:>=0.1", {"alpha", "beta"}),
            ("metrics.loss:0.1", {"alpha"}),
            ("metrics.loss:~<0.2", {"beta"}),
            ("metrics.acc:>0.4, metrics.loss:<0.3", {"alpha"}),
            ("metrics.loss:<0.2,metrics.loss:>0.06", {"alpha"}),
            ("metrics.nope:>1", set()),
            ("outputs.s:x", {"alpha"}),
            ("out.loss:<0.2", {"alpha", "gamma-1"}),
        ]
    )


@check("pql")
def pql_params():
    pql(
        [
            ("params.opt:adam", {"alpha", "gamma-1"}),
            ("params.opt:adam|sgd", {"alpha", "beta", "gamma-1"}),
            ("params.lr:0.1", {"alpha"}),
            ("params.lr:>0.15", {"beta", "gamma-1"}),
            ("inputs.opt:sgd", {"beta"}),
            ("in.bs:32|64", {"alpha", "beta"}),
            ("inputs.lr:<0.25", {"alpha", "beta"}),
        ]
    )


@check("pql")
def pql_meta():
    pql(
        [
            ("meta_flags.flag:true", {"alpha"}),
            ("meta_flags.flag:1", {"alpha"}),
            ("meta_flags.flag:false", {"beta"}),
            ("meta_values.n:3", {"alpha"}),
            ("meta_info.n:3|5", {"alpha", "beta"}),
        ]
    )


@check("pql")
def pql_numbers():
    pql(
        [
            ("duration:>45", {"alpha"}),
            ("duration:50", {"alpha"}),
            ("wait_time:<=5", {"beta"}),
            ("duration:nil", {"gamma-1", "gamma-2"}),
            ("cpu:>=0", ALL),
            ("memory:>=1Gi", set()),
            ("cost:0", ALL),
        ]
    )


@check("pql")
def pql_relations():
    pc, uids, _ = pql_dataset()
    pql(
        [
            ("project:%s" % pc.project, ALL),
            ("project.name:%s" % pc.project, ALL),
            ("pipeline:nil", ALL),
            ("original:nil", ALL),
            ("cloning_kind:nil", ALL),
            ("pipeline:%(u_alpha)s", set()),
            ("live_state:0", set()),
            ("live_state:0|1", ALL),
        ]
    )


@check("pql")
def pql_artifact_kinds():
    pc = project()
    a, b = user_run(pc, name="a"), user_run(pc, name="b")
    a.log_artifact_lineage([DATA], async_req=False)
    a.log_artifact_lineage(
        {"name": "c0ffee", "kind": "coderef", "summary": {"commit": "c0ffee"}, "is_input": True}, async_req=False
    )
    eq(names(js("GET", purl(pc) + "/runs", query={"query": "in_artifact_kind:data"})), ["a"])
    eq(names(js("GET", purl(pc) + "/runs", query={"query": "commit:c0ffee"})), ["a"])
    need(b.run_uuid, "b")


@check("pql")
def pql_errors_are_400():
    pql_errors(
        [
            "bogus:1",
            "status",
            "status:",
            "a.b.c:1",
            ":x",
            ",",
            "status:running,",
            "(status:running",
            "status:running)",
            "NOT status:running",
            "metrics.loss:abc",
            "metrics.loss:1|2",
            "duration:1..2",
            "name:g..h",
            "name:>a",
            "created_at:bad",
            "created_at:a|b",
            "uuid:zzz",
        ]
    )


@check("pql")
def pql_sorting():
    pc, _, _ = pql_dataset()
    s = lambda k: names(js("GET", purl(pc) + "/runs", query={"sort": k}))  # noqa: E731
    eq(s("name"), ["alpha", "beta", "gamma-1", "gamma-2"])
    eq(s("-name"), ["gamma-2", "gamma-1", "beta", "alpha"])
    eq(s("created_at"), ["alpha", "beta", "gamma-1", "gamma-2"])
    eq(s("-created_at"), ["gamma-2", "gamma-1", "beta", "alpha"])
    eq(s("-metrics.loss"), ["beta", "alpha", "gamma-1", "gamma-2"], "nulls last when descending")
    eq(s("-params.lr")[:3], ["gamma-1", "beta", "alpha"])
    eq(s("-duration")[:2], ["alpha", "beta"])
    eq(s("status,-name"), ["gamma-2", "beta", "gamma-1", "alpha"])
    eq(s("kind,name"), ["alpha", "beta", "gamma-1", "gamma-2"])
    eq(s("bogus"), s(""), "unknown field falls back to the default order")


@check("pql", strict=True)
def pql_tags():
    pql(
        [
            ("tags:t1", {"alpha"}),
            ("tags:t2", {"alpha", "beta"}),
            ("tags:t1|t3", {"alpha", "gamma-1"}),
            ("tags:~t2", {"gamma-1", "gamma-2"}),
            ("tags:t1, tags:t2", {"alpha"}),
        ]
    )
