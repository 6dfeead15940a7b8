"""Records that several groups of checks share."""

LOSS = {"name": "loss", "kind": "metric", "path": "events/metric/loss.plx", "summary": {"last": 0.1}, "is_input": False}


DATA = {"name": "data", "kind": "data", "path": "s3://bucket/x", "summary": {"hash": "abc"}, "is_input": True}


MODEL = {"name": "model", "kind": "model", "path": "outputs/m", "summary": {"framework": "x"}, "is_input": False}


RUN_KEYS = (
    "uuid name created_at updated_at started_at finished_at schedule_at wait_time duration kind runtime meta_info status pipeline "
    "original is_managed managed_by pending inputs outputs tags settings user owner project readme description raw_content content "
    "live_state bookmarked resources"
).split()
