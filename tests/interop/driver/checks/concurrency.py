"""Requests at the same time."""

from concurrent.futures import ThreadPoolExecutor

from ..session import check, eq, get, http, project, rurl, user_run

import requests


@check("concurrency")
def parallel_reads():
    pc = project()
    rc = user_run(pc, name="a")
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda _: requests.get(rurl(rc)).status_code, range(64)))
    eq(set(codes), {200})


@check("concurrency")
def parallel_output_merges_keep_all_keys():
    rc = user_run(project())
    for i in range(12):
        http("PATCH", rurl(rc), 200, body={"outputs": {"k%d" % i: i}, "merge": True})
    eq(get(rc)["outputs"], {"k%d" % i: i for i in range(12)})


@check("concurrency", strict=True)
def concurrent_output_merges_keep_all_keys():
    rc = user_run(project())
    with ThreadPoolExecutor(8) as pool:
        codes = list(
            pool.map(
                lambda i: requests.patch(rurl(rc), json={"outputs": {"k%d" % i: i}, "merge": True}).status_code,
                range(24),
            )
        )
    eq(set(codes), {200})
    eq(get(rc)["outputs"], {"k%d" % i: i for i in range(24)})
