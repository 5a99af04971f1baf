"""Step 3, verify: nothing is applied that was not signed for this app, this environment and this very folder.

A failure holds the app: what was applied last stays, and the message says what is wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from ghapp import names as public
from ghapp.agent.environment import Environment
from ghapp.agent.read import Folder
from ghapp.evidence import deployment
from ghapp.evidence.deployment import Deployment
from ghapp.evidence.dsse import Untrusted
from ghapp.git import Git, GitError


class Unverified(Exception):
    """Why nothing of the environment may be applied."""


def trusted(files: tuple[Path, ...]) -> list[Ed25519PublicKey]:
    """The public keys that sign releases. Raises :class:`Unverified`."""
    keys = []
    for path in files:
        try:
            key = load_pem_public_key(path.read_bytes())
        except OSError as e:
            raise Unverified(f"the key {path} cannot be read: {e.strerror}") from None
        except (ValueError, UnsupportedAlgorithm):
            raise Unverified(f"{path} is not a public key in PEM form") from None
        if not isinstance(key, Ed25519PublicKey):
            raise Unverified(f"{path} is not an Ed25519 key; releases are signed with those alone")
        keys.append(key)
    if not keys:
        raise Unverified(
            "no key is trusted, so nothing can be verified; pass --verify-key with the server's public key, "
            "or --verify none for a branch that ghapp did not write"
        )
    return keys


def releases(
    git: Git, commit: str, folders: Mapping[str, Folder], environment: Environment
) -> tuple[dict[str, Deployment], dict[str, str]]:
    """What each app's signed record says, and for each app without a good one why. Raises :class:`Unverified`."""
    keys = trusted(environment.keys)
    records = git.files(commit, public.DEPLOYED_FOLDER)
    good: dict[str, Deployment] = {}
    bad: dict[str, str] = {}
    blobs = {app: records.get(public.deployed_file(app)) for app in folders}
    there = [blob for blob in blobs.values() if blob]
    contents = dict(zip(there, git.read_all(there), strict=True))
    for app, folder in folders.items():
        blob = blobs[app]
        if blob is None:
            bad[app] = f"is not signed: {public.deployed_file(app)} is not on the branch"
            continue
        try:
            found = deployment.read(contents[blob], keys)
        except Untrusted as e:
            bad[app] = f"its release cannot be trusted: {e}"
            continue
        if why := _elsewhere(found, folder, environment.name):
            bad[app] = why
        else:
            good[app] = found
    return good, bad


def _elsewhere(found: Deployment, folder: Folder, environment: str) -> str:
    """Why a genuine signature does not stand for this folder here; empty where it does."""
    if found.app != folder.app:
        return f"its signed record is one of {found.app}, not of {folder.app}"
    if found.environment != environment:
        return f"its signed record is for {found.environment}, not for {environment}"
    if found.tree != folder.tree:
        return f"its files are not those that were signed (signed tree {found.tree[:12]}, found {folder.tree[:12]})"
    return ""


async def commit(git: Git, sha: str, environment: Environment) -> None:
    """``git verify-commit``: by the allowed-signers file among the keys, else by the GnuPG keyring.

    Raises :class:`Unverified`.
    """
    options = []
    if environment.keys:
        options = ["-c", "gpg.format=ssh", "-c", f"gpg.ssh.allowedSignersFile={environment.keys[0].resolve()}"]
    try:
        await asyncio.to_thread(replace(git, credentials=_keyring).run, *options, "verify-commit", sha, remote=True)
    except GitError as e:
        said = str(e).rpartition("git ")[2].strip()[-300:]
        raise Unverified(f"the commit {sha[:12]} has no signature that is trusted here ({said})") from None


def _keyring() -> Mapping[str, str]:
    import os

    return {"GNUPGHOME": os.environ["GNUPGHOME"]} if "GNUPGHOME" in os.environ else {}
