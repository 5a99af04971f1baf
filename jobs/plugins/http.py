"""HTTP calls of plugins: made by curl in the step's sandbox, so that a plugin reaches no more than a script could.

Address, headers and body are in a file that only the step sees, never in an argument list. Redirects are not followed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobs.plugins.interface import Place, PluginError

_MOST = 5_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered."""

    status: int
    body: bytes

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """Raises :class:`PluginError`."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise PluginError("the server's answer is not JSON") from None


def call(
    at: Place,
    method: str,
    url: str,
    *,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    timeout: int = 30,
    say: bool = True,
) -> Answer:
    """One call; ``body`` is sent as JSON unless it is bytes. Raises :class:`PluginError` if there is no answer."""
    if not url.startswith(("https://", "http://")) or any(c in url for c in '"\\\n\r\0 '):
        raise PluginError(f"{url[:200]!r} is not an http or https address")
    sent = {"User-Agent": "ghapp", **(headers or {})}
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **sent}
    options = {
        "url": url,
        "request": method,
        "output": f"{at.scratch_inside}/answer",
        "max-time": str(timeout),
        "max-filesize": str(_MOST),
        "proto": "=http,https",
    }
    lines = ["silent", "show-error", *(f'{name} = "{value}"' for name, value in options.items())]
    lines += [f'header = "{_escaped(f"{name}: {value}")}"' for name, value in sent.items()]
    if body is not None:
        (at.scratch / "body").write_bytes(body)
        lines.append(f'data-binary = "@{at.scratch_inside}/body"')
    (at.scratch / "call").write_text("\n".join([*lines, 'write-out = "%{http_code}"', ""]))
    (at.scratch / "answer").unlink(missing_ok=True)
    done = at.tool("curl", "--config", f"{at.scratch_inside}/call", stdout=True)
    status = done.stdout.decode("ascii", "replace").strip()
    if done.status != 0 or not status.isdecimal() or status == "000":
        raise PluginError(f"{method} {url.partition('?')[0]} got no answer (curl's exit status {done.status})")
    if say:
        at.say(f"{method} {url.partition('?')[0]} → {status}")
    return Answer(int(status), at.result("answer") or b"")


def _escaped(text: str) -> str:
    flat = "".join(c for c in text if c not in "\r\n\0")
    return flat.replace("\\", "\\\\").replace('"', '\\"')
