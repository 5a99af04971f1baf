"""How the forge starts git: without anyone's configuration, identity or prompts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ghapp import process


def git_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The whole environment of a git process of the forge."""
    fixed = {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": "forge",
        "GIT_AUTHOR_EMAIL": "forge@sandbox.invalid",
        "GIT_COMMITTER_NAME": "forge",
        "GIT_COMMITTER_EMAIL": "forge@sandbox.invalid",
    }
    return process.environment({**fixed, **(extra or {})})


def git(
    path: Path, *arguments: str, stdin: bytes | None = None, env: Mapping[str, str] | None = None, check: bool = True
) -> process.Completed:
    """Run git in a bare repository to its end; raises ``ProcessError`` on failure unless ``check`` is False."""
    return process.run(["git", *arguments], cwd=path, env=git_environment(env), stdin=stdin, check=check)
