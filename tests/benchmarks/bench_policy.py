"""How long approvals take: one evaluation of a large policy, ten thousand policies validated, a whole batch.

For comparison the same facts are judged with plain loops and one search a pattern, path and rule, as the plain reading
of the language would. BENCH_TIMES says how often (the median counts), BENCH_POLICIES and BENCH_LINES how many.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import re2

from ghapp.approvals import factsfile
from policies.approval.evaluate import evaluate
from policies.approval.parse import parse

TIMES = int(os.environ.get("BENCH_TIMES", "20"))
POLICIES = int(os.environ.get("BENCH_POLICIES", "2000"))
LINES = int(os.environ.get("BENCH_LINES", "5000"))
START = datetime(2026, 1, 1, tzinfo=UTC)


def moment(minute: int) -> str:
    return (START + timedelta(minutes=minute)).isoformat()


def rule(i: int) -> dict[str, Any]:
    paths = [f"^service{i}/.*\\.go$", f"^libs/{i}/", f"\\.{i}\\.sql$"]
    return {
        "name": f"rule {i}",
        "if": {"changed_files": {"paths": [*paths, "^src/"], "ignore": ["_test\\.go$"]}},
        "options": {
            "invalidate_on_push": True,
            "ignore_edited_comments": True,
            "ignore_update_merges": True,
            "methods": {"comments": [f"lgtm {i}"], "comment_patterns": [f"(?i)^ship {i}$"]},
        },
        "requires": {"count": 2, "teams": ["acme/sre", f"acme/team{i}"], "permissions": ["admin"]},
    }


def large_policy(rules: int = 30) -> str:
    names = [f"rule {i}" for i in range(rules)]
    tree = [{"or": names[: rules // 2]}, {"and": names[rules // 2 :]}]
    return json.dumps({"policy": {"approval": tree}, "approval_rules": [rule(i) for i in range(rules)]})


def large_pull(commits: int = 100, files: int = 300, said: int = 200) -> dict[str, Any]:
    people = [f"user{i}" for i in range(40)]
    return {
        "repository": "acme/web",
        "author": "alice",
        "head_sha": f"c{commits - 1}",
        "commits": [
            {
                "oid": f"c{i}",
                "author_login": people[i % 5],
                "committer_login": people[i % 5],
                "parents": [f"c{i - 1}" if i else "base"],
                "pushed_at": moment(i),
            }
            for i in range(commits)
        ],
        "files": [{"path": f"src/package{i % 20}/module_{i}.py", "additions": 1} for i in range(files)],
        "comments": [
            {"author": people[i % 40], "body": f"I think this is fine, {i}", "created_at": moment(200 + i)}
            for i in range(said // 2)
        ],
        "reviews": [
            {
                "author": people[i % 40],
                "state": ("APPROVED", "COMMENTED")[i % 2],
                "body": "looks right",
                "submitted_at": moment(200 + i),
                "commit_oid": f"c{commits - 1 - i % 3}",
            }
            for i in range(said // 2)
        ],
        "team_members": {"acme/sre": people[30:]} | {f"acme/team{i}": people[10:20] for i in range(30)},
        "permissions": dict.fromkeys(people, "write"),
    }


def naive(policy: dict[str, Any], pull: dict[str, Any]) -> int:
    """The work that the plain reading does: every pattern on every path and comment, for every rule."""
    done = 0
    for written in policy["approval_rules"]:
        for file in pull["files"]:
            for pattern in (*written["if"]["changed_files"]["paths"], *written["if"]["changed_files"]["ignore"]):
                done += re2.search(pattern, file["path"]) is not None
        methods = written["options"]["methods"]
        for text in [said["body"] for said in (*pull["comments"], *pull["reviews"])]:
            done += any(word in text for word in methods["comments"])
            done += any(re2.search(pattern, text) is not None for pattern in methods["comment_patterns"])
        for review in pull["reviews"]:
            chain, seen = pull["head_sha"], []
            by_oid = {commit["oid"]: commit for commit in pull["commits"]}
            while chain in by_oid:
                seen.append(chain)
                chain = by_oid[chain]["parents"][0]
            done += review["commit_oid"] in seen
    return done


def median(work: Callable[[], object]) -> float:
    """Milliseconds of this process's own time: what else the machine does is left out."""
    taken = []
    for _ in range(TIMES):
        start = time.process_time()
        work()
        taken.append((time.process_time() - start) * 1000)
    return statistics.median(taken)


def evaluation() -> None:
    text, data = large_policy(), large_pull()
    policy, facts = parse(text), factsfile.parse(data)
    # New facts each time: what one evaluation remembers must not help the next.
    ours = median(lambda: evaluate(policy, factsfile.parse(data), START))
    alone = ours - median(lambda: factsfile.parse(data))
    plain = median(lambda: naive(json.loads(text), data))
    outcome = evaluate(policy, facts, START).outcome
    print(f"30 rules, 100 commits, 300 files, 200 comments and reviews ({outcome}):")
    print(f"  evaluation          {alone:8.2f} ms   (target: under 10 ms)")
    print(f"  with reading facts  {ours:8.2f} ms")
    print(f"  the plain reading   {plain:8.2f} ms   {plain / alone:.1f} times ours")


def validation() -> None:
    texts = [large_policy(5 + i % 10).replace("rule ", f"rule {i}.") for i in range(POLICIES)]
    start = time.process_time()
    for text in texts:
        parse(text)
    taken = time.process_time() - start
    print(f"{POLICIES} policies of 5 to 14 rules validated in {taken:.1f} s: {POLICIES / taken:.0f} a second,")
    print(f"  10,000 in {taken / POLICIES * 10_000:.1f} s   (target: under 30 s)")


def batch() -> None:
    pull = large_pull(commits=5, files=8, said=6)
    command = [sys.executable, "-m", "ghapp", "policy", "evaluate", "--batch"]
    with tempfile.TemporaryDirectory() as folder:
        one, many = Path(folder) / "one", Path(folder) / "many"
        lines = [
            json.dumps({"id": i, "policy": large_policy(2 + i % 3).replace("lgtm", f"ok {i % 500}"), "facts": pull})
            for i in range(LINES)
        ]
        one.write_text(lines[0])
        many.write_text("\n".join(lines))
        start = time.perf_counter()
        subprocess.run([*command, str(one)], check=True, stdout=subprocess.DEVNULL)
        begun = time.perf_counter() - start
        start = time.perf_counter()
        subprocess.run([*command, str(many)], check=True, stdout=subprocess.DEVNULL)
        taken = time.perf_counter() - start
    print(
        f"a batch of one line takes {begun:.2f} s (target: under 1 s); {LINES} lines with 500 policies {taken:.1f} s,"
    )
    print(f"  {LINES / (taken - begun):.0f} a second once it runs")


if __name__ == "__main__":
    evaluation()
    validation()
    batch()
