"""Other processes with the official client: its command line and scripts that track."""

import json
import os
import subprocess
import sys
import textwrap

from .session import Failed, fresh_dir, need


def cli(*args, cwd=None, want=0, inp=None, timeout=120, env=None):
    p = subprocess.run(
        [sys.executable, "-m", "polyaxon"] + [str(a) for a in args],
        cwd=cwd or fresh_dir(),
        input=inp,
        text=True,
        capture_output=True,
        timeout=timeout,
        env=dict(os.environ, **(env or {})),
    )
    out = p.stdout + p.stderr
    if want is not None and p.returncode != want:
        raise Failed("`polyaxon %s` exit %s: %s" % (" ".join(map(str, args)), p.returncode, out[-500:]))
    return out


def cli_json(*args, **kw):
    out = cli(*args, **kw)
    i = min([x for x in (out.find("{"), out.find("[")) if x >= 0] or [-1])
    need(i >= 0, "no json in output: %s" % out[-300:])
    return json.JSONDecoder().raw_decode(out[i:])[0]


def script(code, cwd=None, want=0, timeout=180, env=None):
    """run a python script with the official tracking client in its own process"""
    d = cwd or fresh_dir()
    f = os.path.join(d, "script.py")
    with open(f, "w") as fh:
        fh.write(textwrap.dedent(code))
    p = subprocess.run(
        [sys.executable, f], cwd=d, text=True, capture_output=True, timeout=timeout, env=dict(os.environ, **(env or {}))
    )
    if want is not None and p.returncode != want:
        raise Failed("script exit %s: %s" % (p.returncode, (p.stdout + p.stderr)[-700:]))
    return p.stdout
