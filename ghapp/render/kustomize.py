"""A kustomization, built by the kustomize inside kubectl, without the network."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from ghapp import process
from ghapp.render.interface import Options, RenderError, inside, refuse_links_out
from policies import yamltext

_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_LOCAL_KEYS = ("resources", "bases", "components", "crds", "configurations", "generators", "transformers", "validators")
# A base that kustomize would fetch: a URL, git's scp form, or a host and a repository.
_REMOTE = re.compile(r"^([a-z+]+://|[\w.-]+@[\w.-]+:|(www\.)?(github|gitlab|bitbucket)\.\w+[/:])|\?(ref|version)=|//")


def render(checkout: Path, folder: str, options: Options) -> bytes:
    """``kubectl kustomize <folder>``. Raises :class:`RenderError` for remote bases that are not allowed."""
    refuse_links_out(checkout)
    root = inside(checkout, folder)
    _refuse_remote(root, checkout.resolve(), options.remote_bases, seen=set())
    # Without git on its path, kustomize cannot fetch what the check above may have missed.
    path = {} if options.remote_bases else {"PATH": "/nonexistent"}
    try:
        return process.run(
            (kubectl(), "kustomize", str(root)),
            cwd=checkout,
            env={**path, "HOME": "/nonexistent"},
            timeout=options.timeout,
        ).stdout
    except process.ProcessError as e:
        said = e.completed.stderr.decode("utf-8", "replace").strip() if e.completed else ""
        reason = (said or e.reason).replace(str(checkout.resolve()), "").removeprefix("error: ")
        raise RenderError([f"kustomize build of {folder} failed: {reason[-1500:]}"]) from None


def kubectl() -> str:
    """The kubectl that is installed beside this Python, else the one on the path."""
    beside = Path(sys.executable).with_name("kubectl")
    return str(beside) if beside.exists() else shutil.which("kubectl") or "kubectl"


def _refuse_remote(folder: Path, root: Path, allowed: tuple[str, ...], seen: set[Path]) -> None:
    if folder in seen:
        return
    seen.add(folder)
    shown = folder.relative_to(root)
    file = next((folder / n for n in _NAMES if (folder / n).is_file()), None)
    if file is None:
        raise RenderError([f"{shown} has no kustomization.yaml; add one, or use `render: {{plain: {shown}}}`"])
    try:
        data = yamltext.load(file.read_bytes(), name=f"{shown}/{file.name}").data or {}
    except yamltext.Problems as e:
        raise RenderError([str(p) for p in e.problems]) from None
    if not isinstance(data, dict):
        raise RenderError([f"{shown}/{file.name} is not a kustomization"])
    entries = [str(e) for key in _LOCAL_KEYS for e in data.get(key) or () if isinstance(e, str) and "\n" not in e]
    for entry in entries:
        if _REMOTE.search(entry):
            if not any(entry.startswith(prefix) for prefix in allowed):
                raise RenderError([f"{shown}/{file.name} names the remote base {entry}; copy it in, or allow-list it"])
            continue
        below = (folder / entry).resolve()
        if not below.is_relative_to(root):
            raise RenderError([f"{shown}/{file.name} names {entry}, which lies outside the repository"])
        if below.is_dir():
            _refuse_remote(below, root, allowed, seen)
