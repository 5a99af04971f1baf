"""The ``buildkit`` builder: a BuildKit daemon, found where ``buildctl`` looks for it (``BUILDKIT_HOST``)."""

from __future__ import annotations

import os
import shutil

from jobs.builders import layout
from jobs.builders.interface import Build, BuildError, Built
from jobs.pipeline.files import inside


class Buildkit:
    name = "buildkit"

    def available(self) -> str:
        if shutil.which("buildctl") is None:
            return "buildctl is not installed"
        return "" if os.environ.get("BUILDKIT_HOST") else "BUILDKIT_HOST names no BuildKit daemon"

    def refuses(self, build: Build) -> str:
        return "" if build.containerfile else "there is no Containerfile"

    def build(self, build: Build) -> Built:
        file = inside(build.workspace, build.containerfile)
        out = build.scratch / "layout"
        out.mkdir()
        arguments = [
            *("build", "--progress=plain", "--frontend=dockerfile.v0"),
            f"--local=context={inside(build.workspace, build.context)}",
            f"--local=dockerfile={file.parent}",
            f"--opt=filename={file.name}",
            *(f"--opt=build-arg:{key}={value}" for key, value in build.args.items()),
            *([f"--opt=target={build.image.target}"] if build.image.target else []),
            *([f"--opt=platform={','.join(build.image.platforms)}"] if build.image.platforms else []),
            f"--output=type=oci,tar=false,rewrite-timestamp=true,dest={out}",
        ]
        env = {"BUILDKIT_HOST": os.environ["BUILDKIT_HOST"], "SOURCE_DATE_EPOCH": "0"}
        if build.auth_file:
            env["DOCKER_CONFIG"] = str(build.auth_file.parent)
        status = build.tool("buildctl", *arguments, env=env)
        if status:
            raise BuildError(f"BuildKit failed with exit status {status}; its last lines say why")
        if not build.push:
            return Built(layout.digest(out), self.name)
        return Built(layout.push(out, build.registry(build.target.host), build.target.path), self.name)


builder = Buildkit()
