"""How soon a push shows, what a pipeline costs beside its steps, and how long the demo takes; on a whole sandbox.

The baseline is what a person would write by hand: a loop that is told of a push at once, clones, runs the step with
`sh -c` and keeps the result to itself. Times begin when the forge has the commit. BENCH_PUSHES says how often.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ghapp import names
from ghapp.sandbox.person import Person
from ghapp.sandbox.tree import Sandbox

PUSHES = int(os.environ.get("BENCH_PUSHES", "15"))
APP = "empty"
CONFIG = f'version: 1\napp: {APP}\npipeline: {{before: [{{name: nothing, run: "true"}}]}}\n'


class Bench:
    """A repository of one empty step on a sandbox."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        places = sandbox.start()
        self.forge, self.work = sandbox.forge, folder / "work"
        self.forge.create_repository(places.organisation, APP)
        repository = f"{places.organisation}/{APP}"
        self.url = f"{places.forge}/{repository}.git"
        token = places.tokens["ada"]
        self.ada = Person("ada", token, api=places.api, forge=places.forge, repository=repository)
        template = folder / "template"
        template.mkdir()
        (template / names.CONFIG_FILE).write_text(CONFIG)
        self.ada.start_work(self.work, template)

    def push(self, number: int) -> tuple[float, float]:
        """Seconds until a check run shows, and until all are complete."""
        (self.work / "number").write_text(f"{number}\n")
        sha = self.ada.push(self.work, f"Change {number}")
        runs: list[dict[str, Any]] = []
        shown = 0.0
        while not runs or any(run["status"] != "completed" for run in runs):
            time.sleep(0.01)
            runs = self.ada.checks(sha)
            shown = shown or (time.time() if runs else 0.0)
        complete = time.time()
        assert {run["conclusion"] for run in runs} == {"success"}, runs
        there = self._there(sha)
        return shown - there, complete - there

    def _there(self, sha: str) -> float:
        """When the forge told of a push: the earliest moment at which anybody could know."""
        told = [d for d in self.forge.deliveries if d.event == "push" and sha.encode() in d.request_body]
        moment: datetime = told[0].delivered_at
        return moment.astimezone(UTC).timestamp()

    def by_hand(self) -> float:
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            self.ada.git(Path(folder), "clone", "--quiet", "--depth", "1", self.url, "here")
            subprocess.run(["sh", "-c", "true"], cwd=Path(folder, "here"), check=True)
            return time.perf_counter() - began


def line(what: str, seconds: list[float], goal: str = "") -> float:
    """Print median and p95 (the highest, below twenty values); returns the median."""
    ranked = sorted(seconds)
    median, high = statistics.median(ranked), ranked[max(0, -(-len(ranked) * 95 // 100) - 1)]
    print(f"{what:<48} p50 {median * 1000:6.0f} ms   p95 {high * 1000:6.0f} ms   {goal}".rstrip())
    return median


def demo() -> None:
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-m", "ghapp", "demo", "--json"], capture_output=True, check=True)
    story = json.loads(done.stdout)["seconds"]
    print(f"{'warm `ghapp demo`':<48} {time.monotonic() - began:.1f} s, its story {story:.1f} s   (goal: under 60 s)")


def main() -> None:
    print(f"{PUSHES} pushes, {os.cpu_count()} cores shared by everything")
    with tempfile.TemporaryDirectory() as name, Sandbox(Path(name) / "sandbox") as sandbox:
        bench = Bench(sandbox, Path(name))
        bench.push(0)  # the first one clones the repository
        times = [bench.push(number) for number in range(1, PUSHES + 1)]
        by_hand = line("clone and `sh -c`, by hand", [bench.by_hand() for _ in range(PUSHES)])
        line("push to first visible check run", [shown for shown, _ in times], "(goal: p95 under 500 ms)")
        whole = line("push to all checks complete, one empty step", [c for _, c in times], "(goal: under 2000 ms)")
        print(f"ratio {whole / by_hand:.1f}")
    demo()


if __name__ == "__main__":
    main()
