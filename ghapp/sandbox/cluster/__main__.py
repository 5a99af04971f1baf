"""`python -m ghapp.sandbox.cluster`: a cluster in a process of its own, which says where it is as one line of JSON."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from pathlib import Path

from ghapp.sandbox.cluster.server import Cluster


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m ghapp.sandbox.cluster", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--data-dir", type=Path, help="where Jobs run and write their logs (default: a temporary one)")
    parser.add_argument("--kubeconfig", type=Path, help="also write an administrator's kubeconfig to this file")
    parser.add_argument(
        "--no-controllers", action="store_true", help="only serve the API, as envtest does: no Pod is ever made"
    )
    parser.add_argument("--tls", action="store_true", help="speak TLS, and demand a token of everybody")
    parser.add_argument("--registry", default="", help="the address of a registry whose images must exist")
    args = parser.parse_args()
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    controllers = not args.no_controllers
    asked = Cluster(args.host, args.port, args.data_dir, controllers=controllers, tls=args.tls, registry=args.registry)
    with asked as cluster:
        said = {"url": cluster.url, "token": cluster.tokens.admin}
        if args.kubeconfig:
            said["kubeconfig"] = str(cluster.kubeconfig(args.kubeconfig))
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()
        done.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
