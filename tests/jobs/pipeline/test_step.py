"""One step: what it is given, how it is judged, what it hands on. Real shells in the real sandbox."""

from __future__ import annotations

import base64
import threading

import pytest

from ghapp.config.model import Pipeline
from jobs.pipeline.result import Outcome
from jobs.pipeline.triggers import Occasion, Pull
from tests.jobs.pipeline.conftest import Ground

EVIL = "$(touch /workspace/pwned) `touch pwned` ; touch pwned # \" ' \n && touch pwned"


def test_a_script_that_ends_well_passes(ground: Ground) -> None:
    result = ground.run("echo hello\necho world >&2")
    assert result.ended.outcome is Outcome.SUCCESS
    assert ground.log(result) == "hello\nworld\n"


def test_a_script_stops_at_its_first_failure(ground: Ground) -> None:
    result = ground.run("false\necho not reached")
    assert (result.ended.outcome, result.ended.sentence) == (Outcome.FAILURE, "exit status 1")
    assert ground.log(result) == ""


@pytest.mark.parametrize(("shell", "script"), [("bash", "false | true; echo $0"), ("python", "raise SystemExit(1)")])
def test_other_shells_are_as_strict(ground: Ground, shell: str, script: str) -> None:
    assert ground.run(script, shell=shell).ended.outcome is Outcome.FAILURE


def test_texts_of_strangers_are_values_never_code(ground: Ground) -> None:
    ground.occasion = Occasion("pull_request", branch=EVIL, author=EVIL, pull=Pull(7, EVIL, EVIL, EVIL, "main"))
    result = ground.run('printf "%s|" "$GHAPP_PR_TITLE" "$GHAPP_BRANCH" "$GHAPP_PR_AUTHOR"', name=EVIL[:90])
    assert ground.log(result) == f"{EVIL}|" * 3
    assert not (ground.workspace / "pwned").exists()


def test_a_file_name_is_no_code(ground: Ground) -> None:
    (ground.workspace / "$(touch pwned).py").write_text("x")
    result = ground.run("ls")
    assert result.passed
    assert not (ground.workspace / "pwned").exists()


def test_outputs_reach_later_steps(ground: Ground) -> None:
    ground.run('echo "version=1.2" >> "$GHAPP_OUTPUT"; printf "notes<<END\\na\\nb\\nEND\\n" >> "$GHAPP_OUTPUT"', id="v")
    result = ground.run(
        'echo "$V:$N"', env={"V": "${{ steps.v.outputs.version }}", "N": "${{ steps.v.outputs.notes }}"}
    )
    assert ground.log(result) == "1.2:a\nb\n"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo no-sign > $GHAPP_OUTPUT", "line 1 of the outputs file is not key=value"),
        ("echo 'a<<END' > $GHAPP_OUTPUT", "is not ended by 'END'"),
        ("rm $GHAPP_OUTPUT; ln -s /etc/hostname $GHAPP_OUTPUT", "not a plain file"),
        ("rm $GHAPP_OUTPUT; mkfifo $GHAPP_OUTPUT", "not a plain file"),
        ("head -c 2000000 /dev/zero > $GHAPP_OUTPUT", "larger than"),
    ],
)
def test_outputs_that_cannot_be_read_are_an_error(ground: Ground, script: str, words: str) -> None:
    result = ground.run(script)
    assert result.ended.outcome is Outcome.ERROR
    assert words in result.ended.sentence


@pytest.mark.parametrize(
    ("when", "outcome"),
    [
        ("event.branch == 'main'", Outcome.SUCCESS),
        ("event.branch == 'other'", Outcome.SKIPPED),
        ("steps.first.outputs.go == 'yes'", Outcome.SUCCESS),
        ("steps.first.outputs.missing == 'yes'", Outcome.ERROR),
        ("event.branch", Outcome.ERROR),
    ],
)
def test_when_decides_whether_it_runs(ground: Ground, when: str, outcome: Outcome) -> None:
    ground.run("echo go=yes > $GHAPP_OUTPUT", id="first")
    assert ground.run("true", when=when).ended.outcome is outcome


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({"pass_if": "exit_code == 3"}, Outcome.SUCCESS),
        ({"pass_if": "outputs.n == '1'"}, Outcome.SUCCESS),
        ({"pass_if": "outputs.n == '2'"}, Outcome.FAILURE),
        ({"fail_if": "outputs.n == '1'", "pass_if": "true"}, Outcome.FAILURE),
        ({"fail_if": "outputs.other == '1'"}, Outcome.ERROR),
    ],
)
def test_conditions_over_outputs_judge_it(ground: Ground, fields: dict[str, str], outcome: Outcome) -> None:
    assert ground.run("echo n=1 > $GHAPP_OUTPUT; exit 3", **fields).ended.outcome is outcome


def test_after_a_failure_only_what_runs_always_runs(ground: Ground) -> None:
    ground.run("false")
    assert ground.run("true").ended.outcome is Outcome.SKIPPED
    assert ground.run("true", always=True).ended.outcome is Outcome.SUCCESS


def test_a_failure_that_may_be_is_no_failure_of_the_stage(ground: Ground) -> None:
    result = ground.run("false", continue_on_error=True)
    assert not result.passed
    assert not result.blocks
    assert ground.run("true").ended.outcome is Outcome.SUCCESS


def test_it_is_tried_again_and_the_attempts_counted(ground: Ground) -> None:
    result = ground.run("echo x >> /workspace/tries; test $(wc -l < /workspace/tries) = 3", retries=3)
    assert (result.ended.outcome, result.attempts) == (Outcome.SUCCESS, 3)
    assert "attempt 1 of 4: exit status 1; trying again" in ground.log(result)


def test_its_time_limit_is_an_outcome_of_its_own(ground: Ground) -> None:
    result = ground.run("sleep 60", timeout="500ms")
    assert (result.ended.outcome, result.ended.sentence) == (Outcome.TIMED_OUT, "killed after its time limit of 0.5 s")


def test_somebody_can_stop_it(ground: Ground) -> None:
    threading.Timer(0.3, ground.stop.set, ["cancelled by ada"]).start()
    result = ground.run("sleep 60", retries=5)
    assert (result.ended.outcome, result.ended.sentence) == (Outcome.CANCELLED, "cancelled by ada")


def test_secrets_reach_only_the_step_that_names_them(ground: Ground) -> None:
    ground.secret("TOKEN", "hunter2-value\n")
    assert "TOKEN" not in ground.log(ground.run("env"))
    result = ground.run('test "$TOKEN" = hunter2-value && env', secrets=["TOKEN"])
    assert result.passed
    assert "TOKEN=***" in ground.log(result)


def test_no_sink_shows_a_secret(ground: Ground) -> None:
    ground.secret("TOKEN", "hunter2-value")
    encoded = base64.b64encode(b"hunter2-value").decode()
    ground.files(**{"app.py": "x"})
    script = (
        'echo "$TOKEN" $(printf %s "$TOKEN" | base64)\n'
        'echo "app.py:1: error: $TOKEN"\n'
        'echo "::error file=app.py,line=1::$TOKEN"\n'
        'echo "out=$TOKEN" > $GHAPP_OUTPUT\nexit 1'
    )
    result = ground.run(script, secrets=["TOKEN"])
    shown = f"{ground.log(result)}{result}"
    assert "hunter2" not in shown
    assert encoded not in shown
    assert len(result.ended.annotations) == 1


def test_a_missing_secret_is_an_error_that_says_where_it_belongs(ground: Ground) -> None:
    result = ground.run("true", secrets=["NOPE"])
    assert result.ended.outcome is Outcome.ERROR
    assert "acme/web/NOPE" in result.ended.sentence


def test_code_of_strangers_gets_no_secret_and_no_network(ground: Ground) -> None:
    ground.secret("TOKEN", "hunter2")
    ground.trusted = False
    assert ground.run("true", secrets=["TOKEN"]).ended.outcome is Outcome.ERROR
    ground.sofar = type(ground.sofar)()
    assert "lo" in ground.log(ground.run("cut -d: -f1 /proc/net/dev | tail -n +3 | tr -d ' '")).split()
    assert len(ground.log(ground.results[-1]).strip().splitlines()) == 2  # a remark, and the loopback


def test_a_token_is_minted_for_what_the_step_declares_and_never_shown(ground: Ground) -> None:
    result = ground.run("echo $GHAPP_TOKEN", permissions={"contents": "read"})
    assert ground.minted == [{"contents": "read"}]
    assert ground.log(result) == "***\n"
    ground.run("true")
    assert len(ground.minted) == 1


@pytest.mark.parametrize("directory", ["..", "/etc", "link", "missing", "a/../.."])
def test_a_working_directory_outside_of_the_checkout_is_an_error(ground: Ground, directory: str) -> None:
    (ground.workspace / "link").symlink_to("/etc")
    assert ground.run("ls", working_directory=directory).ended.outcome is Outcome.ERROR


def test_compilers_remarks_become_annotations(ground: Ground) -> None:
    ground.files(**{"src__app.py": "x", "main.c": "x"})
    script = (
        "echo '/workspace/src/app.py:3: error: bad type'; echo 'main.c:7:2: warning: unused'; "
        "echo '../../etc/passwd:1: error: no'; echo 'http://x:80: error: no'; echo '12:30:15 all is well'"
    )
    found = ground.run(script).ended.annotations
    assert [(a.path, a.start_line, a.level) for a in found] == [("src/app.py", 3, "failure"), ("main.c", 7, "warning")]


def test_environment_of_the_pipeline_and_the_step(ground: Ground) -> None:
    ground.pipeline = Pipeline.model_validate({"env": {"A": "1", "B": True}})
    assert ground.log(ground.run('echo "$A $B $C"', env={"A": 2, "C": 1.5})) == "2 true 1.5\n"
    assert ground.log(ground.run('echo "$GHAPP_COMMIT"', env={"GHAPP_COMMIT": "forged"})) == "a" * 40 + "\n"


def test_a_container_where_there_are_none_is_an_error(ground: Ground) -> None:
    result = ground.run("true", image="alpine")
    assert result.ended.outcome is Outcome.ERROR
    assert "the local executor runs no containers" in result.ended.sentence
