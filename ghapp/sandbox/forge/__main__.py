"""`python -m ghapp.sandbox.forge`: a forge in a process of its own, which says where it is as one line of JSON."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import threading
from pathlib import Path

from ghapp.sandbox.forge.admin import PREFIX
from ghapp.sandbox.forge.forge import Forge


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m ghapp.sandbox.forge", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--root", type=Path, help="where its repositories are kept (default: a temporary folder)")
    args = parser.parse_args()
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    with (
        tempfile.TemporaryDirectory(prefix="forge-") as folder,
        Forge(args.root or Path(folder), args.host, args.port) as forge,
    ):
        said = {
            "url": forge.url,
            "api_url": forge.api_url,
            "graphql_url": forge.graphql_url,
            "admin_url": forge.url + PREFIX,
        }
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()
        done.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
