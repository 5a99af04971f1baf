"""``branch-divergence``: the change is not too far behind the branch that it goes to."""

from __future__ import annotations

from urllib.parse import quote

from pydantic import Field

from ghapp.github.errors import GitHubError
from jobs.pipeline.result import Ended
from jobs.plugins.interface import Inputs, Place, PluginError, failed, passed


class BranchDivergenceInputs(Inputs):
    base: str = Field("", description="the branch to compare with; the pull request's base, else the default branch")
    behind: int = Field(0, ge=0, description="commits that the change may be behind")
    ahead: int = Field(0, ge=0, description="commits that the change may be ahead; 0: any number")


class BranchDivergence:
    name = "branch-divergence"
    version = "1.0.0"
    description = "How far the commit is behind and ahead of its base branch."
    inputs = BranchDivergenceInputs

    def run(self, inputs: BranchDivergenceInputs, at: Place) -> Ended:
        base = inputs.base or str((at.event.get("pull_request") or {}).get("base") or "")
        try:
            base = base or str(at.github.get("")["default_branch"])
            compared = at.github.get(f"compare/{quote(base, safe='')}...{at.commit}", per_page=1)
        except GitHubError as e:
            raise PluginError(f"GitHub cannot compare with {base or 'the default branch'}: {e}") from None
        behind, ahead = int(compared["behind_by"]), int(compared["ahead_by"])
        outputs = {"behind": str(behind), "ahead": str(ahead), "base": base}
        at.say(f"{ahead} ahead of {base}, {behind} behind")
        if behind > inputs.behind:
            allowed = f"{inputs.behind} are allowed" if inputs.behind else "none is allowed"
            sentence = f"{behind} commits behind {base}, {allowed}: merge or rebase it"
            return failed(sentence, outputs=outputs, exit_code=1)
        if inputs.ahead and ahead > inputs.ahead:
            return failed(f"{ahead} commits ahead of {base}, {inputs.ahead} are allowed", outputs=outputs, exit_code=1)
        return passed(outputs=outputs)


plugin = BranchDivergence()
