"""What a request's path and query ask for: which kind, which object, which verb. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from ghapp.sandbox.cluster.errors import bad_request

_NAMESPACE_SUBRESOURCES = ("status", "finalize")


@dataclass(frozen=True, slots=True)
class Address:
    """A path below /api or /apis. Without ``plural`` it is a discovery address."""

    group: str
    version: str
    plural: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""


def parse(path: str) -> Address | None:
    """The address in ``path``, or None when it is none of a group and version."""
    parts = [unquote(p) for p in path.split("/") if p]
    if len(parts) >= 2 and parts[0] == "api" and parts[1] == "v1":
        group, version, rest = "", "v1", parts[2:]
    elif len(parts) >= 3 and parts[0] == "apis":
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = ""
    own = len(rest) == 3 and not group and rest[2] in _NAMESPACE_SUBRESOURCES
    if len(rest) >= 3 and rest[0] == "namespaces" and not own:
        namespace, rest = rest[1], rest[2:]
    plural, name, *below = [*rest, "", ""][: max(len(rest), 2)]
    return Address(group, version, plural, namespace, name, "/".join(below))


@dataclass(frozen=True, slots=True)
class Options:
    """The query of a request, read once."""

    query: Mapping[str, str]

    def flag(self, name: str) -> bool:
        return self.query.get(name, "").lower() in ("true", "1", "t")

    def text(self, name: str) -> str:
        return self.query.get(name, "")

    def number(self, name: str) -> int:
        text = self.query.get(name, "")
        if not text:
            return 0
        if not text.lstrip("-").isdigit():
            raise bad_request(f'invalid {name}: strconv.ParseInt: parsing "{text}": invalid syntax')
        return int(text)

    @property
    def dry_run(self) -> bool:
        said = self.query.get("dryRun", "")
        if said not in ("", "All"):
            raise bad_request(f'invalid dry run option: Unsupported value: "{said}": supported values: "All"')
        return said == "All"

    @property
    def field_validation(self) -> str:
        said = self.query.get("fieldValidation", "") or "Warn"
        if said not in ("Ignore", "Warn", "Strict"):
            raise bad_request(
                f'invalid fieldValidation: Unsupported value: "{said}": supported values: "Ignore", "Strict", "Warn"'
            )
        return said


def manager_of(options: Options, user_agent: str) -> str:
    """The field manager of a write: as said, or the program that the User-Agent names."""
    said = options.text("fieldManager")
    return said or "".join(c for c in user_agent.split("/")[0] if c.isprintable())[:128] or "unknown"
