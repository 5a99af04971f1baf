"""Reading .ghapp.yml: all of it is understood, and everything wrong is told at once, with its line and what to do."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ghapp.config import AppFile, AppList, parse
from policies.yamltext import Problems

WHOLE = """\
version: 1
app: guestbook
pipeline:
  on:
    push: {branches: [main], tags: ["v*"], paths: ["**", "!docs/**"]}
    pull_request: {}
    merge_group: {}
  resources: medium
  concurrency: {cancel_superseded: true, limit: 2}
  before:
    - {name: unit tests, run: pytest -q}
    - {uses: gitleaks}
  image: {repository: ghcr.io/acme/guestbook, context: ., file: Containerfile, builder: auto}
  after:
    - {uses: trivy, with: {scanners: [vuln, misconfig, secret, license]}}
deploy:
  environments:
    - {name: dev,     render: {kustomize: deploy/dev},     merge: auto}
    - {name: staging, render: {kustomize: deploy/staging}, merge: auto, after: [dev], soak: 30m}
    - {name: prod,    render: {helm: {chart: chart, values: [values/prod.yaml]}}, after: [staging], merge: auto}
"""


def problems(text: str) -> list[tuple[int, str, str]]:
    with pytest.raises(Problems) as caught:
        parse(text)
    return [(p.line, p.message, p.fix) for p in caught.value.problems]


def test_the_whole_file() -> None:
    found = parse(WHOLE)
    assert isinstance(found, AppFile)
    push = found.app.pipeline.on.push
    assert push and push.tags == ("v*",)
    staging = found.app.environment("staging")
    assert staging and (staging.soak, staging.upstreams) == (timedelta(minutes=30), ("dev",))
    assert found.app.pipeline.after[0].with_ == {"scanners": ["vuln", "misconfig", "secret", "license"]}


def test_a_monorepo_lists_files() -> None:
    found = parse("version: 1\napps: [services/*/.ghapp.yml]\n")
    assert isinstance(found, AppList) and found.globs == ("services/*/.ghapp.yml",)


@pytest.mark.parametrize(
    ("old", "new", "line", "message", "fix"),
    [
        ("app: guestbook", "app: Guest Book", 2, "not a valid name", "lower-case letters"),
        ("app: guestbook\n", "", 1, "`app`: is missing", "add it"),
        ("soak: 30m", "soak: soon", 19, "not a duration; write it like 90s", ""),
        ("after: [dev], soak", "afer: [dev], soak", 19, "unknown key", "did you mean `after`?"),
        ("builder: auto", "builder: kaniko", 13, "not a value that is known", "'layer'"),
        ("{uses: gitleaks}", "{name: x}", 12, "exactly one of `run`", ""),
        ("{uses: gitleaks}", "{uses: a, run: b}", 12, "exactly one of `run`", ""),
        ("run: pytest -q", "run: pytest -q, with: {a: 1}", 11, "`with` gives inputs to a plugin", ""),
        ("render: {kustomize: deploy/dev}", "render: {}", 18, "exactly one of plain, kustomize and helm", ""),
        ("render: {kustomize: deploy/dev}", "render: {jsonnet: x}", 18, "unknown key", ""),
        ("name: dev,", "name: prod,", 20, "the environment 'prod' is declared twice", ""),
        ("after: [staging]", "after: [stagin]", 20, "'stagin' does not exist", "name one of dev, staging"),
        ("name: dev,     render", "name: dev, after: [prod], render", 17, "wait for each other", "break the circle"),
        ("version: 1", "version: 2", 1, "not a value that is known", "write one of 1"),
        ("limit: 2", "limit: -1", 9, "greater than or equal to 0", ""),
    ],
)
def test_each_mistake_is_told_at_its_line_with_its_fix(old: str, new: str, line: int, message: str, fix: str) -> None:
    assert old in WHOLE
    found = problems(WHOLE.replace(old, new, 1))
    assert any(at == line and message in said and fix in mend for at, said, mend in found), found


def test_all_mistakes_at_once() -> None:
    text = WHOLE.replace("soak: 30m", "soak: x").replace("app: guestbook", "app: A").replace("limit: 2", "limit: -1")
    assert [line for line, _, _ in problems(text)] == [2, 9, 19]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("a: [", "not YAML"),
        ("- a\n", "must be a map"),
        ("app: a\napp: b\n", "written twice (first on line 1)"),
        ("a: &a [*a]\n", "contains itself"),
        ("a: " + "[" * 60 + "]" * 60, "nested more than 50 levels"),
        ("[" * 400_000, "nested more than 50 levels"),
        ("{a: " * 200_000, "nested more than 50 levels"),
        ("- " * 400_000, "nested more than 50 levels"),
        ("a: " + "x" * 1_100_000, "larger than"),
        (
            "\n".join(
                ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
                + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
            ),
            "once aliases are expanded",
        ),
        ("app: a\nbase: {<<: {a: 1}}\n", "merge keys"),
        ("? [a]\n: b\n", "a key that is a list"),
        ("app: a\napps: [b]\n", "either `app` or `apps`"),
    ],
)
def test_text_that_is_no_configuration(text: str, message: str) -> None:
    assert any(message in said for _, said, _ in problems(text))


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(Problems, match=r":2: not UTF-8"):
        parse(b"version: 1\napp: \xff\n")


def test_words_that_other_readers_take_for_booleans_and_dates_stay_words() -> None:
    text = WHOLE.replace("name: unit tests", "name: on").replace(
        "pytest -q}", "echo, env: {A: yes, B: 2026-01-01, C: 010}}"
    )
    found = parse(text)
    assert isinstance(found, AppFile)
    step = found.app.pipeline.before[0]
    assert (step.name, dict(step.env)) == ("on", {"A": "yes", "B": "2026-01-01", "C": 10})
