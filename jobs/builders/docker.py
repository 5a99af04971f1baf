"""The ``docker`` builder: a Docker daemon, for machines that have nothing else. Whoever reaches that daemon owns its
machine, so that this builder is never chosen for code of strangers.
"""

from __future__ import annotations

import shutil
import tarfile
from functools import cache

from ghapp import process
from jobs.builders import layout
from jobs.builders.interface import Build, BuildError, Built
from jobs.pipeline.files import inside


class Docker:
    name = "docker"

    def available(self) -> str:
        return _daemon()

    def refuses(self, build: Build) -> str:
        if not build.containerfile:
            return "there is no Containerfile"
        return "" if build.push else "it is not used for pull requests from forks"

    def build(self, build: Build) -> Built:
        name = f"ghapp-build-{build.scratch.name.lower()}"
        archive, out = build.scratch / "image.tar", build.scratch / "layout"
        arguments = [
            *("build", "--progress=plain", f"--file={inside(build.workspace, build.containerfile)}", f"--tag={name}"),
            *(f"--build-arg={key}={value}" for key, value in build.args.items()),
            *([f"--target={build.image.target}"] if build.image.target else []),
            *([f"--platform={','.join(build.image.platforms)}"] if build.image.platforms else []),
            str(inside(build.workspace, build.context)),
        ]
        env = {"SOURCE_DATE_EPOCH": "0", "DOCKER_BUILDKIT": "1"}
        try:
            for command in (arguments, ["save", f"--output={archive}", name]):
                if build.tool("docker", *command, env=env):
                    raise BuildError(f"docker {command[0]} failed; its last lines say why")
        finally:
            build.tool("docker", "rmi", "--force", name, env=env)
        with tarfile.open(archive) as tar:
            tar.extractall(out, filter="data")
        return Built(layout.push(out, build.registry(build.target.host), build.target.path), self.name)


@cache
def _daemon() -> str:
    if shutil.which("docker") is None:
        return "docker is not installed"
    try:
        process.run(("docker", "version", "--format={{.Server.Version}}"), timeout=10)
    except process.ProcessError:
        return "no Docker daemon answers"
    return ""


builder = Docker()
