"""``.containerignore`` and ``.dockerignore``: what of a context is not sent into an image."""

from __future__ import annotations

from pathlib import Path

from jobs.pipeline.files import read_plain


def ignored(context: Path, containerfile: str) -> tuple[str, ...]:
    """Globs of what is left out, in order; the last that fits decides.

    See https://docs.docker.com/build/concepts/context/#dockerignore-files.
    """
    own = f"{Path(containerfile).name}.dockerignore" if containerfile else ""
    for name in (own, ".containerignore", ".dockerignore"):
        text = read_plain(context / name, 1_000_000) if name else None
        if text is not None:
            return _patterns(text.decode("utf-8", "replace"))
    return ()


def _patterns(text: str) -> tuple[str, ...]:
    found: list[str] = []
    for raw in text.splitlines():
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        sign, line = ("!", line[1:]) if line.startswith("!") else ("", line)
        path = line.strip("/")
        if path and path != ".":
            found += [f"{sign}{path}", f"{sign}{path}/**"]
    return tuple(found) if any(not pattern.startswith("!") for pattern in found) else ()
