"""A Helm chart in the repository, rendered by ``helm template``; hooks and tests are left out."""

from __future__ import annotations

from pathlib import Path

from ghapp import process
from ghapp.config.model import Helm
from ghapp.render.interface import Options, RenderError, inside, refuse_links_out


def render(checkout: Path, block: Helm, options: Options) -> bytes:
    """``helm template`` of a local chart. Raises :class:`RenderError`, also when helm is not installed."""
    refuse_links_out(checkout)
    chart = inside(checkout, block.chart)
    argv = ["helm", "template", block.release or options.app, str(chart), "--skip-tests", "--no-hooks"]
    argv += ["--namespace", block.namespace or options.namespace or "default"]
    for values in block.values:
        argv += ["--values", str(inside(checkout, values))]
    for key, value in block.set.items():
        argv += ["--set-string", f"{key}={value}"]
    try:
        return process.run(argv, cwd=checkout, env={"HOME": "/nonexistent"}, timeout=options.timeout).stdout
    except process.ProcessError as e:
        if e.completed is None:
            raise RenderError(["helm is not installed on this worker; install helm 3, or use kustomize"]) from None
        said = e.completed.stderr.decode("utf-8", "replace").strip() or e.reason
        raise RenderError([f"helm template of {block.chart} failed: {said[-1500:]}"]) from None
