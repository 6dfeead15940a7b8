"""Counts and statistics."""

from ..session import check, eq, has, project
from ..dataset import pql_dataset, stats


@check("stats")
def stats_count_by_status():
    pc, _, _ = pql_dataset()
    d = stats(pc, mode="analytics", kind="annotations", aggregate="count", groupby="status")
    eq({r["status"]: r["count"] for r in d}, {"succeeded": 1, "failed": 1, "running": 1, "created": 1})


@check("stats")
def stats_progress():
    pc, _, _ = pql_dataset()
    eq(stats(pc, mode="analytics", kind="annotations", aggregate="progress"), {"done": 2, "count": 4})


@check("stats")
def stats_aggregates():
    pc, _, _ = pql_dataset()
    d = stats(pc, mode="analytics", kind="annotations", aggregate="avg,min,max,sum", groupby="duration")
    eq(d, {"duration__avg": 45.0, "duration__min": 40.0, "duration__max": 50.0, "duration__sum": 90.0})


@check("stats")
def stats_series():
    pc, _, days = pql_dataset()
    d = stats(pc, mode="analytics", kind="series", aggregate="count", groupby="kind", trunc="created_at.day")
    rows = {(r["kind"], r["trunc_time"][:10]): r["count"] for r in d}
    eq(rows, {("job", days["d4"]): 2, ("job", days["d3"]): 1, ("service", days["d1"]): 1})


@check("stats")
def stats_series_snapshots_envelope():
    d = stats(project(), mode="series")
    for k in ("count", "next", "previous", "results"):
        has(d, k)
