"""Runs the checks against a server and prints one line for each.

    POLYAXON_HOST=http://127.0.0.1:8000 python -m interop.driver [-k TEXT] [-g GROUP[,GROUP...]] [-x] [--list] [--strict]

The server needs no logins, has an owner `default`, and no executor: managed runs stay queued until the checks of agents
pull the queue, so a server is checked by one process at a time. Names are unique in a session, so its database may hold
anything. `--strict` adds checks of behaviour that the contract asks for but the official server has not on SQLite. The
exit code is 0 when nothing failed.
"""

import argparse
import shutil
import sys
import time
import traceback

from . import checks  # noqa: F401  (registers them)
from .session import CHECKS, Failed, HTTP, NAMES, OWN, WORK

import requests


def main():
    parser = argparse.ArgumentParser(prog="driver")
    parser.add_argument("-k", default="", help="only checks whose name contains this")
    parser.add_argument("-g", default="", help="only these groups, separated by commas")
    parser.add_argument("-x", action="store_true", help="stop at the first failure")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--keep", action="store_true", help="keep the work folder and the projects")
    parser.add_argument("--trace", action="store_true", help="print where a check failed")
    options = parser.parse_args()
    groups = [group for group in options.g.split(",") if group]
    selected = [
        (group, name, check)
        for group, name, check, strict in CHECKS
        if options.k in name and (not groups or group in groups) and (options.strict or not strict)
    ]
    if options.list:
        for group, name, _ in selected:
            print(f"{group}.{name}")
        print(len(selected))
        return 0
    passed, failed = run(selected, options)
    print(f"{passed} passed, {failed} failed")
    if not options.keep:
        clean()
    return 0 if failed == 0 else 1


def run(selected, options):
    passed = failed = 0
    for group, name, check in selected:
        start = time.time()
        try:
            check()
            passed += 1
            print(f"PASS {group}.{name}", flush=True)
        except Exception as error:  # noqa: BLE001
            failed += 1
            why = str(error) if isinstance(error, Failed) else f"{type(error).__name__}: {str(error).strip()[:400]}"
            why = why.replace("\n", " ")
            print(f"FAIL {group}.{name}: {why} ({time.time() - start:.1f}s)", flush=True)
            if options.trace:
                traceback.print_exc()
            if options.x:
                break
    return passed, failed


def clean():
    """Leaves no live runs behind: they would count for the queue of the next session."""
    for name in NAMES:
        try:
            HTTP.delete(f"{OWN}/{name}", timeout=20)
        except requests.RequestException:
            break
    shutil.rmtree(WORK, ignore_errors=True)


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    sys.exit(main())
