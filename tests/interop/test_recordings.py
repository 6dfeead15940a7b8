"""Exchanges recorded with the official server, sent again to ours on both databases: statuses, fields, types, values.

Ids, times and the words of messages differ; further fields are allowed. `recordings/*.jsonl` holds one exchange a line.
"""

import datetime
import json
import pathlib
import re
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

RECORDINGS = pathlib.Path(__file__).parent / "recordings"
RECORDED_ON = datetime.date(2026, 11, 22)
# The queue of a server is empty at first, as it was; what is counted was made by the queries.
FIRST = ["agents", "pql", "stats"]
HEX = re.compile(r"\b0{28}1[0-9a-f]{3}\b")
UUID = re.compile(r"^[0-9a-f]{32}$")
TIME = re.compile(r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d")
DAY = re.compile(r"\b2026-(09|1[012])-\d\d(?!\d)")
# Values that depend on the machine, the moment, or the words of a program.
FREE = {"message", "reason", "errors", "detail", "error", "key", "version", "hmac", "duration", "wait_time", "raw_content"}

# What may differ: a part of "check#number METHOD path place", and why.
DECIDED = [
    (r"^agents.agent_state_envelope#0", "the recorded queue held runs of other sessions"),
    (r"POST .*/statuses .*\.(status|status_conditions|meta_info)$", "the answer shows the new status instead of nulls"),
    (r"POST .*/stages .*\.(stage|stage_conditions)$", "the answer shows the new stage instead of nulls"),
    (r"/runs/sync .status_conditions$", "an empty list, like everywhere, instead of an object"),
    (r"^basics.ui_index_is_served", "the page is ours"),
    (r"^events.events_(many_names_and_missing|multi_run|get_metrics_frame)", "events come in the order of names, not in a random one"),
    (r"^pql.pql_sorting#6", "runs without a duration have no order among them"),
    (r"lineage/artifacts \S* ?\.results\[\d\]", "artifacts of one request have no order among them"),
    (r"^lineage\..*\.results\[\d\]", "artifacts of one request have no order among them"),
    (r"^(bulk.bulk_approve|lifecycle.approve_flow)", "one approval is enough; params become inputs when the run is compiled"),
    (r"/resume .*(finished_at|duration)$|\.(finished_at|duration)$", "a run that goes on again has no end"),
    (r"\.status_conditions\[\d+\]\.status$", "the status of a condition is always a text"),
    (r"^events.events_csv_orient#3", "the recording of the upload lost the last line break"),
    (r"^lifecycle.clones_listing", "ids are written without dashes, like everywhere"),
    (r"^lifecycle.archive_and_restore_run|^projects.project_archive_restore", "a run without an executor is stopped at once, not for ever `stopping`"),
    (r"^pipelines.*\.lr$|^pipelines.dag_runs_in_order.*downstream", "children of one pass have no order"),
    (r"^pipelines.schedule_plans_the_next_run#2 .*\.inputs$", "a planned run gets its inputs when it is compiled"),
    (r"^pipelines.*\.(status|status_conditions)$", "what waits for an executor is queued"),
    (r"\.settings\.component$", "only runs of registered components name their component"),
]


class Replay:
    def __init__(self, url):
        self.url, self.ids = url, {}
        self.days = (datetime.datetime.now(datetime.timezone.utc).date() - RECORDED_ON).days

    def today(self, text):
        """Moves the days of the recording to where they are seen from today."""

        def moved(found):
            return str(datetime.date.fromisoformat(found[0]) + datetime.timedelta(self.days))

        return DAY.sub(moved, text)

    def fill(self, value):
        text = value if isinstance(value, str) else json.dumps(value)
        text = self.today(HEX.sub(lambda found: self.ids.get(found[0], found[0]), text)).replace("{HOST}", self.url)
        return text if isinstance(value, str) else json.loads(text)

    def can_send(self, exchange):
        """Whether the recording kept the whole body, and the run of the path was made by it too."""
        body = json.dumps(exchange.get("body", {}))
        kept = not any(cut in body for cut in ["<binary", "<environment dump", "<large"])
        run = HEX.search(exchange["path"])
        return kept and (not run or run[0] in self.ids or exchange["status"] == 404)

    def send(self, exchange):
        headers, data = {"Accept": "application/json"}, None
        if exchange.get("ui"):
            headers["X-Polyaxon-Service"] = "ui"
        body = exchange.get("body", {})
        if "json" in body:
            headers["Content-Type"], data = "application/json", json.dumps(self.fill(body["json"])).encode()
        elif "text" in body:
            headers["Content-Type"], data = "application/json", self.fill(body["text"]).encode()
        elif "multipart" in body:
            headers["Content-Type"], data = multipart([self.fill(part) for part in body["multipart"]])
        url = self.url + urllib.parse.quote(self.fill(exchange["path"]), safe="/%:@,~")
        if "query" in exchange:
            query = exchange["query"]
            pairs = urllib.parse.parse_qsl(query, keep_blank_values=True) if isinstance(query, str) else query
            url += "?" + urllib.parse.urlencode([tuple(self.fill(list(pair))) for pair in pairs])
        request = urllib.request.Request(url, data, headers, method=exchange["method"])
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, response.headers.get_content_type(), response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers.get_content_type(), error.read()

    def surprises(self, what, exchange):
        """How the answer differs, without what was decided."""
        found = [(f"{what} {place}", text) for place, text in self.differences(exchange)]
        return [f"{place}: {text}" for place, text in found if not any(re.search(known, place) for known, _ in DECIDED)]

    def differences(self, exchange):
        status, kind, answer = self.send(exchange)
        if status != exchange["status"]:
            return [("status", f"{status}, recorded {exchange['status']}: {answer[:200]}")]
        recorded = exchange.get("answer", {})
        # The words of refusals are ours, and the recorded server held the projects of other sessions.
        if status >= 400 or re.search("/projects/(list|names)", exchange["path"]):
            return []
        if "json" in recorded:
            try:
                return list(self.compare(recorded["json"], json.loads(answer), ""))
            except ValueError:
                return [("body", f"no JSON: {answer[:100]}")]
        if "text" in recorded and exchange["status"] == 200 and recorded["text"] != answer.decode(errors="replace"):
            return [("body", f"{answer[:100]}, recorded {recorded['text'][:100]}")]
        return []

    def compare(self, recorded, found, place):
        if isinstance(recorded, dict) and isinstance(found, dict):
            for name, value in recorded.items():
                if HEX.fullmatch(name):
                    name = self.ids.get(name, name)
                if name not in found:
                    yield f"{place}.{name}", f"is missing, recorded {value!r}"
                elif name not in FREE or value is None or found[name] is None:
                    yield from self.compare(value, found[name], f"{place}.{name}")
        elif isinstance(recorded, list) and isinstance(found, list):
            if len(recorded) != len(found):
                yield place, f"{len(found)} items, recorded {len(recorded)}"
            for index, (one, other) in enumerate(zip(recorded, found)):
                yield from self.compare(one, other, f"{place}[{index}]")
        elif isinstance(recorded, str) and isinstance(found, str):
            yield from self.compare_texts(recorded, found, place)
        elif type(recorded) is not type(found) and {type(recorded), type(found)} != {int, float}:
            yield place, f"{found!r}, recorded {recorded!r}"
        elif recorded != found and not place.endswith(tuple("." + name for name in FREE)):
            yield place, f"{found!r}, recorded {recorded!r}"

    def compare_texts(self, recorded, found, place):
        if HEX.fullmatch(recorded) and UUID.match(found):
            if self.ids.setdefault(recorded, found) != found:
                yield place, f"another id than before ({recorded})"
        elif TIME.match(recorded):
            if not TIME.match(found):
                yield place, f"{found!r} is no time, recorded {recorded!r}"
        elif recorded[:1] in "{[" and recorded[1:] and not recorded.startswith("{HOST}"):
            try:
                yield from self.compare(json.loads(recorded), json.loads(found), place + ":")
            except ValueError:
                yield place, f"{found!r}, recorded {recorded!r}"
        elif self.fill(recorded) != found and "{STORE}" not in recorded:
            yield place, f"{found!r}, recorded {recorded!r}"


def multipart(parts):
    boundary, lines = uuid.uuid4().hex, []
    for part in parts:
        name = f'; filename="{part["filename"]}"' if "filename" in part else ""
        lines += [f"--{boundary}", f'Content-Disposition: form-data; name="{part["name"]}"{name}', "", part["content"]]
    return f"multipart/form-data; boundary={boundary}", "\r\n".join([*lines, f"--{boundary}--", ""]).encode()


def checks():
    """Each check with its exchanges."""
    files = sorted(RECORDINGS.glob("*.jsonl"), key=lambda file: (file.stem not in FIRST, file.stem))
    for file in files:
        found = {}
        for line in file.read_text().splitlines():
            exchange = json.loads(line)
            found.setdefault(f"{file.stem}.{exchange['check']}", []).append(exchange)
        yield from found.items()


def test_the_server_answers_as_the_official_one_did(make_home):
    home = make_home()
    home.polyaxon("server", "start", "--no-agent")
    replay, problems, sent = Replay(home.url()), [], 0
    for check, exchanges in checks():
        for number, exchange in enumerate(exchanges):
            if not replay.can_send(exchange):
                break  # What follows depends on it.
            sent += 1
            what = f"{check}#{number} {exchange['method']} {exchange['path']}"
            end = time.monotonic() + 2
            known = dict(replay.ids)
            found = replay.surprises(what, exchange)
            # The recording holds only the last of several looks at something that changes by itself.
            while found and exchange["method"] == "GET" and time.monotonic() < end:
                time.sleep(0.05)
                replay.ids = dict(known)
                found = replay.surprises(what, exchange)
            problems += found
    assert not problems, f"{len(problems)} differences in {sent} exchanges:\n" + "\n".join(problems)
    assert sent > 1000
