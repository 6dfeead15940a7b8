"""The API against its own document: whatever is sent, the answer is a described one, comes soon, and is never a 5xx."""

import http.client
import json
import os
import random
import socket
import time
import urllib.parse

UUID = "8aac02e3a62a4f0aaa257c59da5eab80"
METHODS = ["get", "post", "put", "patch", "delete"]
REQUESTS_OF_EACH_OPERATION = 6
SECONDS = 25

NASTY_TEXTS = [
    "", " ", "null", "0", "-1", "99999999999999999999", "1e400", "true", "..", "../../etc/passwd", "/etc/passwd", "a" * 3000,
    "\x00", "%00", "é", "\U0001f600", "\u202e", "'", '"', "'; DROP TABLE runs; --", "{{ x }}", "a,b", ",", "a|b", "~", ":",
    "status:", "created_at:>", "metrics.x:<1", "name:%", "-", "+", "2026-13-45", "0001-01-01", "[]", "{}", UUID, UUID[:31],
]
NASTY_VALUES = [
    None, True, 0, -1, 2**63, 2**70, 1.5, 1e308, "", "x", "a" * 3000, "\x00", "\ud83d\ude00", [], [None], [[]], {}, {"": None},
    {"a": {"b": [1, {"c": None}]}}, ["x"] * 300,
]
RAW_BODIES = [
    b"", b"{", b"[", b"null", b"[]", b"3", b'"x"', b"\xff\xfe", b"\x00" * 100, b"{\"a\": 1}}", b"[" * 5000, b'{"a":' * 3000,
    b'{"name": "\\ud800"}', b'{"a": 1e999999}',
]


class Contract:
    """The document, and requests that are made of it."""

    def __init__(self, document, known, seed):
        self.document, self.known, self.random = document, known, random.Random(seed)

    def resolve(self, value):
        while isinstance(value, dict) and "$ref" in value:
            place = self.document
            for key in value["$ref"][2:].split("/"):
                place = place[key]
            value = place
        return value

    def operations(self):
        for path, item in self.document["paths"].items():
            for method in METHODS:
                if method in item:
                    yield method, path, item[method]

    def value(self, schema, depth=0):
        """A value that fits the schema, or, now and then, one that does not."""
        choose = self.random.choice
        if self.random.random() < 0.15 or depth > 6:
            return choose(NASTY_VALUES)
        schema = self.resolve(schema or {})
        for key in ["oneOf", "anyOf"]:
            if key in schema:
                return self.value(choose(schema[key]), depth + 1)
        if "allOf" in schema:
            return self.value(schema["allOf"][0], depth + 1)
        if "enum" in schema:
            return choose(schema["enum"])
        if schema.get("examples") and self.random.random() < 0.5:
            return choose(schema["examples"])
        kind = schema.get("type")
        kind = choose(kind) if isinstance(kind, list) else kind
        if kind == "object" or "properties" in schema:
            fields = schema.get("properties", {})
            needed = schema.get("required", [])
            kept = {name: part for name, part in fields.items() if name in needed or self.random.random() < 0.4}
            made = {name: self.value(part, depth + 1) for name, part in kept.items()}
            return made if self.random.random() < 0.9 else {**made, choose(NASTY_TEXTS): choose(NASTY_VALUES)}
        if kind == "array":
            return [self.value(schema.get("items"), depth + 1) for _ in range(self.random.randrange(3))]
        simple = {"boolean": True, "integer": self.random.randrange(-2, 200), "number": self.random.random(), "null": None}
        if kind in simple:
            return simple[kind]
        return choose(NASTY_TEXTS) if self.random.random() < 0.5 else choose(["x", UUID, "2026-01-01T00:00:00Z"])

    def text(self, name):
        if name in self.known and self.random.random() < 0.7:
            return self.random.choice(self.known[name])
        # Without a word the path is that of another operation.
        return self.random.choice(NASTY_TEXTS) or "x"

    def request(self, method, path, operation):
        query = []
        for parameter in map(self.resolve, operation.get("parameters", [])):
            name = parameter["name"]
            if parameter["in"] == "path":
                path = path.replace("{%s}" % name, urllib.parse.quote(self.text(name), safe=""))
            elif self.random.random() < 0.5:
                shown = str(parameter.get("example", "x"))
                query.append((name, shown if self.random.random() < 0.5 else self.random.choice(NASTY_TEXTS)))
        target = path + ("?" + urllib.parse.urlencode(query) if query else "")
        headers = {}
        content = self.resolve(operation.get("requestBody", {})).get("content", {})
        body = None
        if "application/json" in content:
            headers["Content-Type"] = self.random.choice(["application/json"] * 5 + ["text/plain", "nonsense"])
            if self.random.random() < 0.3:
                body = self.random.choice(RAW_BODIES)
            else:
                body = json.dumps(self.value(content["application/json"]["schema"])).encode()
        elif content:
            headers["Content-Type"] = self.random.choice(["multipart/form-data; boundary=x", "multipart/form-data", "x"])
            name = self.random.choice(["a.txt", "../a", "a" * 300, "\t", "a/b"])
            json_part = json.dumps({"path": self.text("path"), "untar": self.random.choice([True, False, 1])})
            body = self.random.choice([b"", b"--x--\r\n", b"--x\r\n\r\n", (
                f'--x\r\nContent-Disposition: form-data; name="json"\r\n\r\n{json_part}\r\n'
                f'--x\r\nContent-Disposition: form-data; name="upload_file"; filename="{name}"\r\n\r\nhello\r\n--x--\r\n'
            ).encode(errors="replace")])
        return target, headers, body

    def problem(self, value, schema, place="$"):
        """What does not fit the schema; nothing when all does."""
        if not isinstance(schema, dict):
            return None
        schema = self.resolve(schema)
        for key in ["oneOf", "anyOf"]:
            if key in schema:
                problems = [self.problem(value, part, place) for part in schema[key]]
                return None if None in problems else problems[0]
        for part in schema.get("allOf", []):
            if found := self.problem(value, part, place):
                return found
        if "enum" in schema and value not in schema["enum"]:
            return f"{place}: {value!r} is not one of {schema['enum']}"
        kinds = schema.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        fits = {
            "null": value is None,
            "boolean": isinstance(value, bool),
            "integer": isinstance(value, int) and not isinstance(value, bool),
            "number": isinstance(value, (int, float)) and not isinstance(value, bool),
            "string": isinstance(value, str),
            "array": isinstance(value, list),
            "object": isinstance(value, dict),
        }
        if kinds and not any(fits[kind] for kind in kinds):
            return f"{place}: {value!r} is not {' or '.join(kinds)}"
        if isinstance(value, dict):
            for name in schema.get("required", []):
                if name not in value:
                    return f"{place}.{name} is missing"
            for name, part in schema.get("properties", {}).items():
                if name in value and (found := self.problem(value[name], part, f"{place}.{name}")):
                    return found
        if isinstance(value, list):
            for position, item in enumerate(value):
                if found := self.problem(item, schema.get("items"), f"{place}[{position}]"):
                    return found
        return None


def send(address, method, target, headers, body):
    """One request; streams that do not end by themselves are only begun."""
    connection = http.client.HTTPConnection(*address, timeout=5)
    try:
        connection.request(method.upper(), target, body, headers)
        response = connection.getresponse()
        is_stream = "ndjson" in response.getheader("Content-Type", "")
        return response.status, response.getheader("Content-Type", ""), b"" if is_stream else response.read()
    finally:
        connection.close()


def check(contract, operation, status, kind, answer):
    """Why an answer is not a described one."""
    if status >= 500:
        return "the server failed"
    described = operation["responses"].get(str(status)) or operation["responses"].get(f"{status // 100}XX")
    if described is None:
        return "its status is not described"
    content = contract.resolve(described).get("content", {})
    if kind.startswith("application/json") and "application/json" in content and answer:
        return contract.problem(json.loads(answer), content["application/json"].get("schema"))
    return None


def test_every_operation_answers_as_described(home):
    seed = int(os.environ.get("CONTRACT_SEED") or random.randrange(2**32))
    print(f"CONTRACT_SEED={seed}")
    home.polyaxon("server", "start", "--no-agent")
    url = urllib.parse.urlsplit(home.url())
    address = (url.hostname, url.port)
    post = {"Content-Type": "application/json"}
    send(address, "post", "/api/v1/default/projects/create", post, b'{"name": "p"}')
    runs = []
    for name in ["a", "b"]:
        body = json.dumps({"name": name, "is_managed": False}).encode()
        runs.append(json.loads(send(address, "post", "/api/v1/default/p/runs", post, body)[2])["uuid"])
    known = {
        "owner": ["default"], "project": ["p"], "uuid": runs, "namespace": ["polyaxon"], "name": ["v1", "a"],
        "kind": ["metric", "model", "component", "artifact"], "path": ["outputs", "a.txt"], "version": ["2-18-0"],
    }
    document = json.loads(send(address, "get", "/api/openapi.json", {}, None)[2])
    contract = Contract(document, known, seed)
    # What destroys comes last, or there would soon be nothing left.
    operations = sorted(contract.operations(), key=lambda operation: operation[0] == "delete" or "delete" in operation[1])
    problems, sent, end = [], 0, time.monotonic() + SECONDS
    for method, path, operation in operations:
        for _ in range(REQUESTS_OF_EACH_OPERATION):
            target, headers, body = contract.request(method, path, operation)
            try:
                status, kind, answer = send(address, method, target, headers, body)
            except (http.client.HTTPException, socket.timeout, ConnectionError) as error:
                problems.append(f"{method} {target} {body!r:.200}: {error!r}")
                continue
            finally:
                sent += 1
            if why := check(contract, operation, status, kind, answer):
                problems.append(f"{method} {target} {headers} {body!r:.200}: {status}, {why}: {answer[:300]!r}")
        assert time.monotonic() < end, f"only {sent} requests in {SECONDS} s"
    assert not problems, f"{len(problems)} of {sent} answers, CONTRACT_SEED={seed}:\n" + "\n".join(problems[:40])
    assert send(address, "get", "/readyz", {}, None)[0] == 200
