"""The ``buildah`` builder: any Containerfile, without a daemon and without root.

The file's commands run in a chroot with namespaces of their own. Storage is the build's own folder, or one that is kept
for builds of the same trust.
"""

from __future__ import annotations

import shutil

from jobs.builders import layout
from jobs.builders.interface import Build, BuildError, Built
from jobs.pipeline.files import inside


class Buildah:
    name = "buildah"

    def available(self) -> str:
        return "" if shutil.which("buildah") else "buildah is not installed"

    def refuses(self, build: Build) -> str:
        return "" if build.containerfile else "there is no Containerfile"

    def build(self, build: Build) -> Built:
        image = build.image
        storage = build.cache or build.scratch / "storage"
        tool = ("buildah", "--storage-driver=vfs", f"--root={storage}", f"--runroot={build.scratch / 'run'}")
        access = [f"--tls-verify={'false' if build.plain_http else 'true'}"]
        access += [f"--authfile={build.auth_file}"] if build.auth_file else []
        name = f"localhost/{build.scratch.name}"
        arguments = [
            *("--isolation=chroot", "--format=oci", "--layers", "--timestamp=0", "--pull=ifnewer", *access),
            *(f"--build-arg={key}={value}" for key, value in build.args.items()),
            *([f"--target={image.target}"] if image.target else []),
            f"--file={inside(build.workspace, build.containerfile)}",
        ]
        context = str(inside(build.workspace, build.context))
        if len(image.platforms) > 1:
            arguments += [f"--platform={','.join(image.platforms)}", f"--manifest={name}"]
        else:
            arguments += [*(f"--platform={p}" for p in image.platforms), f"--tag={name}"]
        _run(build, *tool, "build", *arguments, context)
        out = build.scratch / "layout"
        if len(image.platforms) > 1:
            _run(build, *tool, "manifest", "push", "--all", "--format=oci", name, f"oci:{out}")
        else:
            _run(build, *tool, "push", "--format=oci", name, f"oci:{out}")
        if not build.push:
            return Built(layout.digest(out), self.name)
        return Built(layout.push(out, build.registry(build.target.host), build.target.path), self.name)


def _run(build: Build, *argv: str) -> None:
    # Without BUILDAH_ISOLATION buildah might look for runc, which a worker has no need of.
    status = build.tool(*argv, env={"BUILDAH_ISOLATION": "chroot", "XDG_RUNTIME_DIR": str(build.scratch)})
    if status:
        raise BuildError(f"buildah failed with exit status {status}; its last lines say why")


builder = Buildah()
