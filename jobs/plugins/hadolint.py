"""``hadolint``: mistakes in Containerfiles."""

from __future__ import annotations

from pydantic import Field

from jobs.pipeline.files import inside, plain_files
from jobs.pipeline.result import Ended
from jobs.plugins.interface import Place, PluginError
from jobs.plugins.scan import Level, ScanInputs, checked, checkout, judged
from jobs.scanners import hadolint

_NAMES = ("Containerfile", "Dockerfile")


class HadolintInputs(ScanInputs):
    files: tuple[str, ...] = Field((), description="the files to look at; every Containerfile and Dockerfile if empty")
    fail_on: Level = Field("medium", description="the least severity that fails the step; none: it never fails")


class Hadolint:
    name = "hadolint"
    version = "1.0.0"
    description = "Mistakes in Containerfiles, by hadolint."
    inputs = HadolintInputs

    def run(self, inputs: HadolintInputs, at: Place) -> Ended:
        files = list(inputs.files) or _found(at)
        if not files:
            raise PluginError("there is no Containerfile; name one under `files`, or remove the step")
        for file in files:
            if not inside(at.workspace, f"{at.directory}/{file}").is_file():
                raise PluginError(f"{file} is not in the checkout")
        version = at.tool("hadolint", "--version", stdout=True).stdout.decode("utf-8", "replace").split()
        done = at.tool("hadolint", "--no-color", "--format=json", "--", *files, stdout=True, network=False)
        checked(done.status, (0, 1), "hadolint")
        found = hadolint.read(done.stdout, checkout(at), version=version[-1] if version else "")
        return judged(found, inputs, target="repository")


def _found(at: Place) -> list[str]:
    under = "" if at.directory == "." else at.directory
    files = (path.removeprefix(f"{under}/") for path in plain_files(at.workspace, under))
    return [path for path in files if path.rpartition("/")[2] in _NAMES]


plugin = Hadolint()
