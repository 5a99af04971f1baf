"""Giving a folder to the user that a task runs as."""

from __future__ import annotations

import os
from pathlib import Path


def hand_over(folder: Path, owner: int) -> None:
    """Make ``owner`` the owner of a folder and all in it; of links themselves, never of what they point at."""
    if folder.stat().st_uid == owner:
        return
    for where, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(where, name), owner, owner, follow_symlinks=False)
    os.chown(folder, owner, owner)
