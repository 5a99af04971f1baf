"""The text of a promotion's pull request: what changes, from what to what, by whom, and what it waits for. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ghapp.git import Commit
from ghapp.render.diff import Change, Diff
from ghapp.render.diff import images as images_of
from ghapp.render.manifests import Manifest
from policies.markdown import block, code, escape, link
from policies.verdict import State, Verdict

SIGNS = {State.PASS: "✅", State.PENDING: "⏳", State.FAIL: "❌", State.ERROR: "⚠️"}
_MARK = re.compile(r"<!-- ghapp-promotion (\{.*?\}) -->\s*\Z", re.DOTALL)
_MOST_OBJECTS, _MOST_FIELDS, _MOST_COMMITS = 50, 20, 50


@dataclass(frozen=True)
class Story:
    """What a pull request's text is made of."""

    app: str
    environment: str
    release: str
    kind: str
    source: str
    repository_url: str
    diff: Diff
    before: Sequence[Manifest]
    after: Sequence[Manifest]
    commits: Sequence[Commit]
    verdicts: Mapping[str, Verdict]
    edits: Sequence[Commit] = ()
    unused_images: Sequence[str] = ()
    requested_by: str = ""
    reason: str = ""
    replaced: str = ""
    head_text: str = ""
    findings: str = ""


def title(app: str, release: str, environment: str, kind: str = "promotion") -> str:
    note = "" if kind == "promotion" else f" ({kind})"
    return f"{app}: {release} → {environment}{note}"


def body(story: Story) -> str:
    """The whole text, ending in the hidden record that :func:`mark_of` reads."""
    parts = [
        story.head_text.strip(),
        _opening(story),
        _edits(story),
        _gates(story.verdicts),
        f"### In the cluster\n\n{cluster_changes(story.diff)}",
        _images(story),
        story.findings.strip(),
        _commits(story),
        _FOOTER,
        mark(release=story.release, kind=story.kind),
    ]
    return "\n\n".join(p for p in parts if p) + "\n"


def mark(**facts: Any) -> str:
    """The hidden record of what a pull request carries, for the next reconcile."""
    return f"<!-- ghapp-promotion {json.dumps(facts, sort_keys=True).replace('--', '')} -->"


def mark_of(text: str | None) -> dict[str, Any]:
    """The record in a pull request's body; empty where there is none."""
    match = _MARK.search((text or "").rstrip())
    try:
        found = json.loads(match[1]) if match else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _opening(story: Story) -> str:
    short = story.source[:7]
    source = link(short, f"{story.repository_url}/commit/{story.source}")
    carries = f"Carries release {code(story.release)} of **{escape(story.app)}** (source commit {source})"
    lines = [f"{carries} into **{escape(story.environment)}**."]
    if story.replaced:
        lines.append(f"It replaces release {code(story.replaced)}.")
    if story.kind != "promotion":
        by = f", asked for by {escape(story.requested_by)}" if story.requested_by else ""
        why = f": {escape(story.reason, limit=500)}" if story.reason else ""
        lines.append(f"This is a **{escape(story.kind)}**{by}{why}.")
    return " ".join(lines)


def _edits(story: Story) -> str:
    if not story.edits:
        return ""
    rows = [f"- {code(c.sha[:7])} {escape(c.subject, limit=100)} — {escape(c.author.name)}" for c in story.edits[:20]]
    return "\n".join(
        [
            "> [!WARNING]",
            "> These changes were made on the environment branch by hand and are reverted here:",
            "",
            *rows,
        ]
    )


def _gates(verdicts: Mapping[str, Verdict]) -> str:
    if not verdicts:
        return ""
    rows = ["### Gates", "", "| | gate | verdict |", "|---|---|---|"]
    for name, verdict in verdicts.items():
        when = f" (may change at {verdict.until:%Y-%m-%d %H:%M:%S} UTC)" if verdict.until else ""
        rows.append(f"| {SIGNS[verdict.state]} | {escape(name)} | {escape(verdict.sentence, limit=600)}{when} |")
    return "\n".join(rows)


def cluster_changes(diff: Diff) -> str:
    """A list of the objects that change, with the fields that do; long lists are cut and say so."""
    lines = [f"- ➕ {code(str(m))}" for m in diff.added[:_MOST_OBJECTS]]
    lines += [f"- ➖ {code(str(m))}" for m in diff.removed[:_MOST_OBJECTS]]
    for name, changes in list(diff.changed.items())[:_MOST_OBJECTS]:
        lines.append(f"- ✏️ {code(name)}")
        lines += [f"  - {_change(c)}" for c in changes[:_MOST_FIELDS]]
        if len(changes) > _MOST_FIELDS:
            lines.append(f"  - and {len(changes) - _MOST_FIELDS} more fields")
    left = sum(max(0, len(x) - _MOST_OBJECTS) for x in (diff.added, diff.removed, diff.changed))
    if left:
        lines.append(f"- and {left} more objects; the Files tab shows each")
    return "\n".join([f"Objects: {diff.summary()}.", *([""] if lines else []), *lines])


def _change(change: Change) -> str:
    before, after = (_value(v) for v in (change.before, change.after))
    return f"{code(change.path, limit=200)}: {before} → {after}"


def _value(value: Any) -> str:
    if value is None:
        return "—"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return code(text, limit=120)


def _images(story: Story) -> str:
    before, after = images_of(story.before), images_of(story.after)
    names = [n for n in sorted({*before, *after}) if before.get(n) != after.get(n)]
    lines = ["### Images", ""]
    lines += [f"- {code(n)}: {_value(_tail(before.get(n), n))} → {_value(_tail(after.get(n), n))}" for n in names]
    lines += [f"- ⚠️ {code(n)} was built, but no pod template names it" for n in story.unused_images]
    return "\n".join(lines) if len(lines) > 2 else ""


def _tail(image: str | None, name: str) -> str | None:
    return image.removeprefix(name).lstrip(":@") or "(no tag)" if image else None


def _commits(story: Story) -> str:
    if not story.commits:
        return ""
    lines = ["### Source commits", ""]
    for commit in story.commits[:_MOST_COMMITS]:
        sha = link(commit.sha[:7], f"{story.repository_url}/commit/{commit.sha}")
        lines.append(f"- {sha} {escape(commit.subject, limit=100)} — {escape(commit.author.name, limit=60)}")
    if len(story.commits) > _MOST_COMMITS:
        lines.append(f"- and {len(story.commits) - _MOST_COMMITS} more")
    return "\n".join(lines)


_FOOTER = (
    "---\n<sub>Commands: `/hold`, `/unhold`, `/promote <release> to <environment>`, "
    "`/rollback <environment> [to <release>]`, `/reject <release> <reason>`, `/refresh`, `/help`</sub>"
)


def refused(problems: Sequence[str]) -> str:
    """Why a release cannot be rendered, as the text of a check run."""
    return block("\n".join(problems))
