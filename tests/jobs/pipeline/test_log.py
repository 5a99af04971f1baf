"""Logs: whole in the store, small in memory, clean wherever they are shown."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from ghapp.store.directory import DirectoryStore
from jobs.pipeline import log as module
from jobs.pipeline.log import StepLog
from jobs.pipeline.matchers import Matcher, strip_escapes
from jobs.pipeline.redaction import Redactor


def step_log(folder: Path, *secrets: str, matcher: Matcher | None = None) -> StepLog:
    return StepLog(DirectoryStore(folder), "runs/1/a.log", Redactor(secrets), matcher)


def test_a_hundred_megabytes_are_kept_whole_in_little_memory(tmp_path: Path) -> None:
    log = step_log(tmp_path, "a secret of some length")
    chunk = b"0123456789abcdef" * 4095 + b"a secret of some"
    tracemalloc.start()
    for _ in range(1600):
        log.write(chunk)
    log.close()
    assert tracemalloc.get_traced_memory()[1] < 8_000_000
    tracemalloc.stop()
    assert (tmp_path / "runs/1/a.log").stat().st_size == 1600 * len(chunk)
    assert len(log.tail(20, 8_000)) <= 8_000


def test_a_log_without_end_is_cut_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 1000)
    log = step_log(tmp_path)
    for i in range(100):
        log.write(f"line {i:04} is here\n".encode())
    log.close()
    kept = (tmp_path / "runs/1/a.log").read_text()
    assert kept.endswith("the rest is not kept\n")
    assert len(kept) < 1100
    assert log.tail(1) == "line 0099 is here"


def test_the_tail_is_plain_text(tmp_path: Path) -> None:
    log = step_log(tmp_path)
    log.write(b"one\n\x1b[31mred\x1b[0m\x1b]8;;https://x\x07link\x1b]8;;\x07\x00\nprogress 1%\rprogress 2%\n")
    log.close()
    assert log.tail(10) == "one\nredlink\nprogress 1%\nprogress 2%"


@pytest.mark.parametrize("text", ["\x1b[2J", "\x1b[?25l", "\x1b]0;title\x07", "\x07\x08", "\x1b[38;5;1m"])
def test_terminal_escapes_are_stripped(text: str) -> None:
    assert strip_escapes(f"a{text}b") == "ab"


FILES = frozenset(("src/app.py", "main.c", "a b.txt", "tests/test_x.py"))


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("main.c:3:5: error: expected ';'", ("main.c", 3, "failure")),
        ("main.c:3: warning: unused", ("main.c", 3, "warning")),
        ("/workspace/src/app.py:12: note: see here", ("src/app.py", 12, "notice")),
        ("./src/app.py:12: error: x", ("src/app.py", 12, "failure")),
        ("src/app.py:12:1: E501 line too long", ("src/app.py", 12, "failure")),
        ("src/app.py:12: DeprecationWarning", ("src/app.py", 12, "failure")),
        ("\x1b[1mmain.c:3:5:\x1b[0m \x1b[31merror:\x1b[0m bad", ("main.c", 3, "failure")),
        ("::error file=src/app.py,line=7,title=T::message%0Amore", ("src/app.py", 7, "failure")),
        ("::warning file=a b.txt::careful", ("a b.txt", 1, "warning")),
        ("::notice file=src/app.py,line=x::no line", None),
        ("../secret:1: error: x", None),
        ("/etc/passwd:1: error: x", None),
        ("/workspace/../etc/passwd:1: error: x", None),
        ("unknown.c:3: error: x", None),
        ("10:20:30 starting", None),
        ("http://localhost:80/ error: x", None),
        ("localhost:8080: connection refused", None),
        ("error: something", None),
        ("::set-env name=x::y", None),
    ],
)
def test_remarks_are_found_at_lines_of_files_that_there_are(line: str, found: tuple[str, int, str] | None) -> None:
    matcher = Matcher("/workspace", ".", FILES)
    matcher.feed(f"{line}\n".encode())
    assert [(a.path, a.start_line, a.level) for a in matcher.annotations] == ([found] if found else [])


def test_remarks_are_relative_to_where_the_step_started() -> None:
    matcher = Matcher("/workspace", "src", FILES)
    matcher.feed(b"app.py:1: error: x\n../main.c:2: error: y\n../../x:1: error: z\n")
    assert [a.path for a in matcher.annotations] == ["src/app.py", "main.c"]


def test_a_remark_split_between_chunks_and_one_without_an_end(tmp_path: Path) -> None:
    matcher = Matcher("/workspace", ".", FILES)
    log = step_log(tmp_path, matcher=matcher)
    log.write(b"main.c:3: err")
    log.write(b"or: one\nmain.c:4: error: two")
    log.close()
    assert [a.start_line for a in matcher.annotations] == [3, 4]


def test_remarks_are_bounded() -> None:
    matcher = Matcher("/workspace", ".", FILES)
    for i in range(1000):
        matcher.feed(f"main.c:{i + 1}: error: x\n".encode())
    matcher.feed(b"x" * 10_000_000 + b":1: error: x\n")
    assert len(matcher.annotations) == 200
