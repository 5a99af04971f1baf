"""Step 5, decrypt: SOPS files by the real ``sops``, with whatever keys its environment gives it.

What still carries ``sops`` afterwards is never applied. Nothing decrypted is written to disk or logged.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ghapp import process
from ghapp.agent.yamlfile import Unreadable

# What sops reads its keys from: age, cloud KMS, Vault, GnuPG.
_KEYS = ("SOPS_", "AWS_", "GOOGLE_", "AZURE_", "VAULT_", "GNUPGHOME", "XDG_CONFIG_HOME")


def encrypted(documents: Sequence[Any]) -> bool:
    """Whether sops wrote one of these documents."""
    return any(isinstance(d, dict) and isinstance(d.get("sops"), dict) and "mac" in d["sops"] for d in documents)


def decrypt(content: bytes, name: str) -> bytes:
    """The plain text of a file. Raises :class:`Unreadable` with what to do."""
    kind = "json" if name.endswith(".json") else "yaml"
    argv = (_sops(), "--decrypt", "--input-type", kind, "--output-type", kind, "/dev/stdin")
    keys = {k: v for k, v in os.environ.items() if k.startswith(_KEYS)}
    try:
        return process.run(argv, env=keys, stdin=content, timeout=60).stdout
    except process.ProcessError as e:
        if e.completed is None:
            raise Unreadable(f"{name} is encrypted, and sops is not installed; install sops beside the agent") from None
        said = e.completed.stderr.decode("utf-8", "replace")
        key = keys.get("SOPS_AGE_KEY_FILE", "")
        if key and not Path(key).is_file():
            why = f"SOPS_AGE_KEY_FILE names {key}, which is not a file"
        elif "data key" in said or "identit" in said:
            why = "none of the agent's keys opens it; give it the right one (SOPS_AGE_KEY_FILE), or encrypt it for ours"
        else:
            why = said.strip().splitlines()[-1][:300] if said.strip() else e.reason
        raise Unreadable(f"{name} cannot be decrypted: {why}") from None


def _sops() -> str:
    beside = Path(sys.executable).with_name("sops")
    return str(beside) if beside.exists() else shutil.which("sops") or "sops"
