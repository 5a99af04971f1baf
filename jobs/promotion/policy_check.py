"""``ghapp / policy`` on a pull request that changes policies: is all of it readable, are its test cases met, and what
would it have decided about the promotions of the last 90 days?
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ghapp import names
from ghapp.git import Git
from ghapp.github.checks import Check
from jobs.promotion.gate_checks import check_of
from jobs.promotion.recording import recorded
from jobs.promotion.rules import folder
from policies.cases import is_test_file, run
from policies.kinds import read_folder
from policies.markdown import escape
from policies.organisation import merge
from policies.policy import Origin, PolicySet
from policies.replay import replay, verdict_on
from policies.verdict import Verdict, failed
from policies.yamltext import Problems

DAYS = 90


def policy_check(git: Git, base: str, head: str, organisation: PolicySet, now: datetime) -> Check | None:
    """The check; ``None`` where the pull request changes no policy."""
    if git.object_id(base, names.POLICY_FOLDER) == git.object_id(head, names.POLICY_FOLDER):
        return None
    before = merge(organisation, read_folder(folder(git, base), Origin.REPOSITORY))
    after = merge(organisation, read_folder(folder(git, head), Origin.REPOSITORY))
    since = now - timedelta(days=DAYS)
    verdict = verdict_on(replay(recorded(git, since), after, base=before, since=since), after, DAYS)
    return check_of(names.CHECK_POLICY, _with_cases(verdict, folder(git, head)))


def _with_cases(verdict: Verdict, files: dict[str, str]) -> Verdict:
    """The verdict, or a failure naming each test case beside the policies that is not met."""
    wrong = []
    for path in sorted(p for p in files if is_test_file(p)):
        try:
            wrong += [f"{o.file}:{o.line}: {o.name}: {o.problem}" for o in run(path, files) if o.problem]
        except Problems as e:
            wrong += [str(p) for p in e.problems]
    if not wrong or not verdict.passed:
        return verdict
    more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    return failed(f"a test case is not met: {wrong[0]}{more}", details="\n".join(f"- {escape(w)}" for w in wrong[:100]))
