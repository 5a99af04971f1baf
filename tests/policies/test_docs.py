"""The examples in the documentation are what they say."""

import re
from pathlib import Path

import pytest

from policies.cases import problems_in as problems_in_cases
from policies.demands import read_demands
from policies.filters import PROMOTION_VARIABLES, check
from policies.gates.registry import GATES
from policies.kinds import KINDS, parse_policies
from policies.promotion import Hotfix
from policies.window.model import Window
from policies.yamltext import load

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("policies.md", "windows.md", "gates.md")
EXAMPLES = [
    (page, block) for page in PAGES for block in re.findall(r"```yaml\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)
]


@pytest.mark.parametrize(("page", "text"), EXAMPLES, ids=[f"{p}:{t[:30]!r}" for p, t in EXAMPLES])
def test_each_example_is_accepted(page, text):
    if text.startswith("kind:"):
        found = parse_policies(text, page)
        assert not found.broken, found.broken
        return
    data = load(text).data
    if "cases" in data:
        assert problems_in_cases(text, page) == []
    elif "filter" in data:
        check(data["filter"], PROMOTION_VARIABLES)
    else:
        assert read_demands(data.get("checks", []), data.get("gates", []), page)


def test_every_kind_gate_option_and_variable_is_spoken_of():
    policies, gates, windows = ((DOCS / page).read_text() for page in ("policies.md", "gates.md", "windows.md"))
    assert all(f"| [{kind}](" in policies for kind in KINDS)
    assert all(f"`{gate.NAME}`" in gates for gate in GATES)
    assert all(f"`{name}`" in gates for name in PROMOTION_VARIABLES)
    options = {field.alias or name for name, field in Window.model_fields.items()}
    assert {name for name in options if f"`{name}" not in windows} == set()
    assert {
        field.alias or n for n, field in Hotfix.model_fields.items() if f"{field.alias or n}:" not in policies
    } == set()


def test_the_table_of_recurrences_is_true():
    rows = re.findall(r"^\| `(\w+)`.*? \| (.*) \|$", (DOCS / "windows.md").read_text().split("## Everything")[0], re.M)
    seen = set()
    for key, examples in rows:
        first = re.findall(r"`([^`]+)`", examples)
        text = "\n".join(part for part in first if re.match(rf"({key}|start|duration): \S", part))
        if key == "ics":
            continue
        found = parse_policies(f"kind: Window\ntype: blackout\n{_first_of_each(text)}\n", "w.yml")
        assert not found.broken, (key, found.broken)
        seen.add(key)
    assert seen == {"once", "daily", "weekly", "monthly", "cron", "rrule"}


def _first_of_each(text):
    lines = {}
    for line in text.splitlines():
        lines.setdefault(line.partition(":")[0], line)
    return "\n".join(lines.values())
