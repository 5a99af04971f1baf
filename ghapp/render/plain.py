"""A folder of manifests, as they are."""

from __future__ import annotations

from pathlib import Path

from ghapp.render.interface import Options, RenderError, inside, refuse_links_out


def render(checkout: Path, folder: str, _options: Options) -> bytes:
    """Every ``*.yaml``, ``*.yml`` and ``*.json`` below ``folder``, in the order of their names."""
    refuse_links_out(checkout)
    root = inside(checkout, folder)
    files = sorted(p for p in root.rglob("*") if p.suffix in (".yaml", ".yml", ".json") and p.is_file())
    if not files:
        raise RenderError([f"{folder} holds no *.yaml, *.yml or *.json file"])
    return b"\n---\n".join(p.read_bytes() for p in files)
