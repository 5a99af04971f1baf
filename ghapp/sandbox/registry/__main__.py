"""`python -m ghapp.sandbox.registry`: a registry in a process of its own; it says where it is in one line of JSON."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from pathlib import Path

from ghapp.sandbox.registry.server import Registry


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m ghapp.sandbox.registry", description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="the folder that holds the content")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    args = parser.parse_args()
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    with Registry(args.root, args.host, args.port) as registry:
        sys.stdout.write(json.dumps({"url": registry.url, "address": registry.address}) + "\n")
        sys.stdout.flush()
        done.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
