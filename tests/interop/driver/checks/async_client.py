"""The asynchronous client."""

from ..session import check, eq, OWNER, project, user_run


@check("async_client")
def async_clients_work():
    import asyncio
    from polyaxon.client import AsyncProjectClient, AsyncRunClient

    pc = project()
    rc = user_run(pc, name="a")

    async def go():
        async with AsyncProjectClient(owner=OWNER, project=pc.project) as ap:
            rows = await ap.list_runs()
        async with AsyncRunClient(owner=OWNER, project=pc.project, run_uuid=rc.run_uuid) as ar:
            await ar.update({"outputs": {"z": 1}})
            await ar.refresh_data()
            return rows, ar.run_data.outputs

    rows, outputs = asyncio.run(go())
    eq((rows.count, outputs), (1, {"z": 1}))
