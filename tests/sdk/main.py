#!/usr/bin/env python3
"""Alibaba's own Python SDKs, unchanged, against cloudsim over HTTP on loopback.

`main.py --list` names the tests; `main.py run NAME...` runs them, each against a cloud of its own, and prints a line of
JSON for each, as hack/runner/src/program.rs describes. EIPD_PROGRAM is the path of cloudsim.
"""

import json
import os
import signal
import sys
import time
import traceback

import checks  # noqa: F401  (its tests register themselves)
import nat  # noqa: F401
import python_v1  # noqa: F401
import python_v3  # noqa: F401
from cloud import Cloud
from registry import CASES

LIMIT_SECONDS = 60


def run(name):
    """Runs one test; what failed as text, "" if nothing did."""
    signal.alarm(LIMIT_SECONDS)
    try:
        with Cloud(os.environ["EIPD_PROGRAM"]) as cloud:
            CASES[name](cloud)
        return ""
    except Exception:  # whatever an SDK may raise is this test's failure
        return traceback.format_exc()
    finally:
        signal.alarm(0)


def too_slow(_number, _frame):
    raise TimeoutError(f"took more than {LIMIT_SECONDS} s")


def ended(_number, _frame):
    raise SystemExit(1)


def without_proxies():
    """Every one of these SDKs obeys them even for 127.0.0.1."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        os.environ.pop(name, None)
        os.environ.pop(name.upper(), None)


def main(arguments):
    if arguments == ["--list"]:
        print("\n".join(CASES))
        return 0
    if arguments[:1] != ["run"] or not set(arguments[1:]) <= set(CASES):
        print(__doc__, file=sys.stderr)
        return 2
    without_proxies()
    signal.signal(signal.SIGALRM, too_slow)
    signal.signal(signal.SIGTERM, ended)
    for name in arguments[1:]:
        start = time.monotonic()
        log = run(name)
        line = {"case": name, "ok": not log, "seconds": round(time.monotonic() - start, 3), "log": log}
        print(json.dumps(line), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
