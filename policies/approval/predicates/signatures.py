"""Predicates on the signatures of all commits, as GitHub verified them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from policies.approval.actors import FIELDS, Actors
from policies.approval.case import Case
from policies.approval.commits import all_commits
from policies.approval.facts import Commit, Signature
from policies.approval.result import Finding
from policies.approval.shapes import Flag, ListOf, Record, Shape, Text

GPG = "GpgSignature"
TYPES = (GPG, "SmimeSignature", "SshSignature")


def _valid(commit: Commit) -> Signature | None:
    signature = commit.signature
    return signature if signature is not None and signature.valid and signature.type in TYPES else None


def _unsigned(case: Case) -> Iterator[str]:
    for commit in all_commits(case):
        if _valid(commit) is None:
            what = "no signature" if commit.signature is None else "an invalid signature"
            yield f"commit {commit.oid[:10]} has {what}"


@dataclass(frozen=True)
class HasValidSignatures:
    """True when every commit has a valid signature; ``false`` negates."""

    key: ClassVar[str] = "has_valid_signatures"
    shape: ClassVar[Shape] = Flag("Whether GitHub has verified the signature of every commit.")
    wanted: bool

    @classmethod
    def of(cls, value: Any) -> Self:
        return cls(value)

    def judge(self, case: Case) -> Finding:
        if problem := next(_unsigned(case), None):
            return Finding(self.key, not self.wanted, problem)
        return Finding(self.key, self.wanted, "every commit has a valid signature")


@dataclass(frozen=True)
class HasValidSignaturesBy:
    """True when every commit has a valid signature by one of the actors."""

    key: ClassVar[str] = "has_valid_signatures_by"
    shape: ClassVar[Shape] = Record(FIELDS, "Every commit is signed by one of these.")
    actors: Actors

    @classmethod
    def of(cls, value: Any) -> Self:
        return cls(Actors.of(value))

    def judge(self, case: Case) -> Finding:
        if problem := next(_unsigned(case), None):
            return Finding(self.key, False, problem)
        signers = dict.fromkeys(s.signer for commit in all_commits(case) if (s := _valid(commit)))
        for signer in signers:
            if not self.actors.include(case, signer):
                who = f"@{signer}" if signer else "an unknown signer"
                listed = " or ".join(self.actors.listed()) or "nobody (no actors are listed)"
                return Finding(self.key, False, f"{who} signed a commit and is not one of {listed}")
        return Finding(self.key, True, "every commit has a valid signature by one of those listed")


@dataclass(frozen=True)
class HasValidSignaturesByKeys:
    """True when every commit has a valid GPG signature by one of the keys."""

    key: ClassVar[str] = "has_valid_signatures_by_keys"
    shape: ClassVar[Shape] = Record({"key_ids": ListOf(Text())}, "Every commit is signed by one of these GPG keys.")
    key_ids: tuple[str, ...]

    @classmethod
    def of(cls, value: Any) -> Self:
        return cls(tuple(value.get("key_ids") or ()))

    def judge(self, case: Case) -> Finding:
        if problem := next(_unsigned(case), None):
            return Finding(self.key, False, problem)
        for commit in all_commits(case):
            signature = _valid(commit)
            if signature is None or signature.type != GPG:
                return Finding(self.key, False, f"commit {commit.oid[:10]} is not signed with GPG")
            if signature.key_id not in self.key_ids:
                sentence = f"commit {commit.oid[:10]} is signed by the key {signature.key_id}, which is not listed"
                return Finding(self.key, False, sentence)
        return Finding(self.key, True, "every commit is signed by one of the keys listed")
