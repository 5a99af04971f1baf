"""Whether a registry has an image: the only thing about images that the sandbox's node cares for.

Asked in a thread, so that nobody waits for an answer; images of other registries are taken to be there.
"""

from __future__ import annotations

import re
import threading
import time
import urllib.error
import urllib.request

_ACCEPTED = ", ".join(
    f"application/vnd.{kind}+json"
    for kind in (
        "oci.image.manifest.v1",
        "oci.image.index.v1",
        "docker.distribution.manifest.v2",
        "docker.distribution.manifest.list.v2",
    )
)
_ASK_AGAIN = 2.0
_TIMEOUT = 5.0
_NAME = re.compile(r"(?P<name>[^@]+?)(?::(?P<tag>[^:/@]+))?(?:@(?P<digest>.+))?\Z")


class Images:
    """Knows one registry by its address: ``127.0.0.1:5000``."""

    def __init__(self, registry: str) -> None:
        self._registry = registry
        self._known: dict[str, tuple[bool, float]] = {}
        self._asking: set[str] = set()

    def is_there(self, image: str) -> bool | None:
        """Whether an image can be pulled; None while that is not known yet."""
        if not self._registry or not image.startswith(self._registry + "/"):
            return True
        there, when = self._known.get(image, (False, 0.0))
        if there or time.monotonic() - when < _ASK_AGAIN:
            return there
        if image not in self._asking:
            self._asking.add(image)
            threading.Thread(target=self._ask, args=(image,), daemon=True).start()
        return None

    def _ask(self, image: str) -> None:
        match = _NAME.match(image.removeprefix(self._registry + "/"))
        there = False
        if match:
            reference = match["digest"] or match["tag"] or "latest"
            url = f"http://{self._registry}/v2/{match['name']}/manifests/{reference}"
            request = urllib.request.Request(url, method="HEAD", headers={"Accept": _ACCEPTED})
            try:
                with urllib.request.urlopen(request, timeout=_TIMEOUT):  # noqa: S310  # an address of our own
                    there = True
            except (urllib.error.URLError, OSError):
                there = False
        self._known[image] = (there, time.monotonic())
        self._asking.discard(image)
