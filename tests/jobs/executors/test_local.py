"""The local executor, on real sub-processes: what a task can see, how it ends, what it may use."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.executors import bubblewrap
from jobs.executors.interface import Ended, Limits, Stop, Task
from jobs.executors.local import Local

sandboxed = pytest.mark.skipif(bubblewrap.mode() == "none", reason="bubblewrap does not work on this machine")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "workspace").mkdir()
    return tmp_path / "workspace"


def run(workspace: Path, script: str, *, stop: Stop | None = None, **more: object) -> tuple[Ended, str]:
    printed: list[bytes] = []
    scratch = workspace.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    task = Task(("sh", "-c", script), workspace, scratch, **more)  # type: ignore[arg-type]
    ended = Local().run(task, printed.append, stop or Stop())
    return ended, b"".join(printed).decode()


@pytest.fixture
def bare() -> Iterator[None]:
    """As on a machine without bubblewrap."""
    original = bubblewrap.mode
    bubblewrap.mode = lambda: "none"  # type: ignore[assignment]
    yield
    bubblewrap.mode = original


def test_status_and_output_come_back(workspace: Path) -> None:
    ended, printed = run(workspace, "echo out; echo err >&2; exit 3")
    assert (ended.status, ended.stopped) == (3, "")
    assert printed == "out\nerr\n"


def test_what_it_writes_is_in_the_workspace(workspace: Path) -> None:
    (workspace / "in").mkdir()
    ended, _ = run(workspace, "pwd; echo hello > made", directory="in")
    assert ended.status == 0
    assert (workspace / "in" / "made").read_text() == "hello\n"


def test_nothing_of_the_workers_environment_reaches_it(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GHAPP_PRIVATE_KEY", "very secret")
    _, printed = run(workspace, "env; cat /proc/*/environ", env={"GIVEN": "yes"})
    assert "GIVEN=yes" in printed
    assert "very secret" not in printed
    assert f"HOME={os.environ.get('HOME')}\n" not in printed


@sandboxed
def test_the_workers_files_are_not_there(workspace: Path, tmp_path: Path) -> None:
    secret = tmp_path / "key.pem"
    secret.write_text("very secret")
    (workspace / "link").symlink_to(secret)
    ended, printed = run(workspace, f"cat {secret}; cat link; cat ../key.pem; ls /root /home /etc/shadow")
    assert ended.status != 0
    assert "very secret" not in printed
    assert "No such file" in printed


@sandboxed
def test_what_programs_need_of_the_system_is_there(workspace: Path) -> None:
    ended, printed = run(
        workspace, "cat /etc/passwd > /dev/null && ls /etc/ssl && getent hosts localhost && python3 -c 1"
    )
    assert ended.status == 0, printed


@sandboxed
def test_it_has_no_power_over_the_machine(workspace: Path) -> None:
    _, printed = run(
        workspace, "grep -E 'CapEff|CapPrm|CapBnd' /proc/self/status; touch /usr/x; id -u; ls -d /proc/[0-9]*"
    )
    assert printed.count("0000000000000000") >= 2
    assert "Read-only file system" in printed or "Permission denied" in printed
    assert "\n0\n" not in printed
    assert len([line for line in printed.splitlines() if line.startswith("/proc/")]) < 10


@sandboxed
def test_without_network_there_is_only_loopback(workspace: Path) -> None:
    _, printed = run(workspace, "cat /proc/net/dev | tail -n +3 | cut -d: -f1", network=False)
    assert printed.split() == ["lo"]


def test_it_is_killed_at_its_time_limit(workspace: Path) -> None:
    ended, printed = run(workspace, "echo begun; sleep 100", limits=Limits(timeout=0.5))
    assert ended.timed_out
    assert ended.stopped == "killed after its time limit of 0.5 s"
    assert printed == "begun\n"


def test_it_is_killed_when_somebody_wishes_so(workspace: Path) -> None:
    stop = Stop()
    threading.Timer(0.3, stop.set, ["superseded by 1234567"]).start()
    ended, _ = run(workspace, "sleep 100", stop=stop)
    assert ended.stopped == "superseded by 1234567"


def leftovers(marker: str) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and marker.encode() in (entry / "cmdline").read_bytes():
                found.append(entry.name)
        except OSError:
            continue
    return found


def gone(marker: str) -> bool:
    for _ in range(100):
        if not leftovers(marker):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("sandbox", ["bubblewrap", "bare"])
def test_what_it_forks_ends_with_it(workspace: Path, sandbox: str, request: pytest.FixtureRequest) -> None:
    if sandbox == "bare":
        request.getfixturevalue("bare")
    marker = f"987{os.getpid()}1" if sandbox == "bare" else f"987{os.getpid()}2"
    ended, printed = run(workspace, f"setsid sleep {marker} & (sleep {marker} &) ; echo done")
    assert (ended.status, printed) == (0, "done\n")
    assert gone(marker)


@sandboxed
def test_a_fork_bomb_is_bounded_and_ends(workspace: Path) -> None:
    limits = Limits(timeout=2, processes=60)
    ended, printed = run(workspace, "bomb() { bomb | bomb & }; bomb; sleep 60", limits=limits)
    assert ended.status != 0
    assert "fork" in printed


@sandboxed
def test_too_much_memory_kills_it_and_says_so(workspace: Path) -> None:
    greedy = "python3 -c 'import time; x = [bytearray(30_000_000) for _ in range(2)]; time.sleep(30)'"
    script = f"{greedy} & {greedy} & {greedy} & wait"
    ended, _ = run(workspace, script, limits=Limits(timeout=30, memory=128 * 2**20))
    assert ended.stopped == "killed: it used more than its 128Mi of memory"


@sandboxed
def test_one_process_cannot_take_more_memory_than_its_limit(workspace: Path) -> None:
    ended, printed = run(
        workspace, "python3 -c 'x = bytearray(400_000_000)'", limits=Limits(timeout=30, memory=128 * 2**20)
    )
    assert ended.status == 1
    assert "MemoryError" in printed


def test_too_much_disk_kills_it_and_says_so(workspace: Path) -> None:
    script = "for i in 1 2 3 4; do head -c 6000000 /dev/zero > file$i; done; sleep 30"
    ended, _ = run(workspace, script, limits=Limits(timeout=30, disk=20_000_000))
    assert ended.stopped == "killed: it used more than its 19.1Mi of disk"


def test_a_hundred_megabytes_of_output_arrive_whole(workspace: Path) -> None:
    size = 0

    def count(chunk: bytes) -> None:
        nonlocal size
        size += len(chunk)

    scratch = workspace.parent / "scratch"
    scratch.mkdir()
    ended = Local().run(Task(("head", "-c", "100000000", "/dev/zero"), workspace, scratch), count, Stop())
    assert (ended.status, size) == (0, 100_000_000)


def test_a_program_that_does_not_exist_fails_with_its_name(workspace: Path) -> None:
    ended, printed = run(workspace, "no-such-program")
    assert ended.status == 127
    assert "no-such-program" in printed
