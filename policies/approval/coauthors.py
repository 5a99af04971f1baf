"""Who else wrote a commit, by the trailers of its message.

Only GitHub's own no-reply addresses name an account; for any other address the account is unknown here, and an unknown
contributor is one that nobody's approval can be told apart from.
"""

from __future__ import annotations

import re

from policies.approval.facts import Login

_TRAILER = re.compile(r"^\s*co-authored-by:[^\n<]*<([^>\n]*)>", re.IGNORECASE | re.MULTILINE)
_NO_REPLY = re.compile(r"(?:\d+\+)?([A-Za-z0-9][A-Za-z0-9-]*(?:\[bot\])?)@users\.noreply\.github\.com\Z", re.IGNORECASE)


def addresses(message: str) -> tuple[str, ...]:
    """The addresses of ``Co-authored-by:`` trailers, each once."""
    if "o-authored-by" not in message.lower():
        return ()
    return tuple(dict.fromkeys(match.strip() for match in _TRAILER.findall(message)))


def account(address: str) -> Login:
    """The login that a no-reply address stands for; ``None`` for any other address."""
    match = _NO_REPLY.match(address)
    return match[1] if match else None


def co_authors(message: str) -> tuple[Login, ...]:
    return tuple(account(address) for address in addresses(message))
