"""Webhook deliveries between the server and the workers: one small record each, written once, read at least once.

A record says where to look and who caused it. The payload is not kept; jobs read GitHub.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson
from redis import Redis
from redis.exceptions import ResponseError

from ghapp import names
from jobs import branches, counters
from jobs.queue import Queue
from jobs.routing import routed
from jobs.subjects import Ask, Subject

if TYPE_CHECKING:
    from ghapp.github.directory import Directory

log = logging.getLogger(__name__)

STREAM = "ghapp:deliveries"
GROUP = "dispatchers"
SEEN_SECONDS = 3 * 86_400  # GitHub lets a delivery be sent again for three days
_ABANDONED_MS = 10_000  # a record that its reader did not finish within this time is read by another

# KEYS: the delivery's mark, the stream · ARGV: seconds, record. 1 if it was written, 0 if it was there.
APPEND = """
if redis.call('SET', KEYS[1], 1, 'NX', 'EX', ARGV[1]) then
  redis.call('XADD', KEYS[2], '*', 'r', ARGV[2])
  return 1
end
return 0
"""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook delivery, reduced to where to look.

    ``repository``, ``full_name`` and ``installation`` say where the repository was when it was sent; 0 and empty where
    the event has none. ``moved`` is the environment branch that a push moved, and where to.
    """

    id: str
    event: str
    action: str
    subjects: tuple[Subject, ...]
    ask: Ask | None = None
    repository: int = 0
    full_name: str = ""
    installation: int = 0
    moved: tuple[str, str] | None = None

    def to_json(self) -> bytes:
        place = (self.repository, self.full_name, self.installation)
        ask = asdict(self.ask) if self.ask else None
        where = [str(subject) for subject in self.subjects]
        return orjson.dumps([self.id, self.event, self.action, where, ask, *place, self.moved])

    @classmethod
    def from_json(cls, raw: bytes) -> Delivery:
        id_, event, action, subjects, ask, repository, full_name, installation, moved = orjson.loads(raw)
        where = tuple(map(Subject.parse, subjects))
        wish, at = Ask(**ask) if ask else None, (moved[0], moved[1]) if moved else None
        return cls(id_, event, action, where, wish, repository, full_name, installation, at)


def reduce(delivery_id: str, event: str, payload: Mapping[str, Any], *, app_id: int | None = None) -> Delivery:
    """What is kept of a payload that GitHub signed; pure."""
    action = payload.get("action")
    action = action if isinstance(action, str) else ""
    found = routed(event, action, payload, app_id=app_id)
    repository, installation = payload.get("repository"), payload.get("installation")
    repository = repository if isinstance(repository, Mapping) else {}
    installation = installation if isinstance(installation, Mapping) else {}
    return Delivery(
        delivery_id,
        event,
        action,
        found.subjects,
        replace(found.ask, delivery=delivery_id) if found.ask else None,
        _id(repository.get("id")),
        str(repository.get("full_name") or ""),
        _id(installation.get("id")),
        _moved(event, payload),
    )


def _moved(event: str, payload: Mapping[str, Any]) -> tuple[str, str] | None:
    ref, after = payload.get("ref"), payload.get("after")
    if event != "push" or not isinstance(ref, str) or not isinstance(after, str):
        return None
    branch = ref.removeprefix("refs/heads/")
    return (branch, after) if branch.startswith(names.ENVIRONMENT_PREFIX) else None


def _id(value: Any) -> int:
    return value if isinstance(value, int) else 0


def mark(delivery_id: str) -> str:
    """The key that says that a delivery was taken."""
    return f"ghapp:delivery:{delivery_id}"


def append(redis: Redis, delivery: Delivery) -> bool:
    """Write a delivery, unless it was written before; one round trip. Returns whether it is new."""
    return bool(redis.eval(APPEND, 2, mark(delivery.id), STREAM, SEEN_SECONDS, delivery.to_json()))


def _read(raw: bytes) -> Delivery | None:
    try:
        return Delivery.from_json(raw)
    except (ValueError, TypeError):
        log.exception("a record cannot be read and is dropped; was it written by another version?")
        return None


class Dispatcher:
    """Takes records from the stream and has their subjects reconciled. Any number may run; each record goes to one.

    A record is acknowledged after its subjects stand in the queue, so a dispatcher that dies loses none.
    """

    def __init__(self, redis: Redis, directory: Directory, name: str) -> None:
        self._redis, self._directory, self._name = redis, directory, name
        self._queue = Queue(redis)

    def dispatch(self, wait: float, most: int = 200) -> int:
        """Dispatch what there is, waiting up to ``wait`` seconds for something; returns how many records."""
        try:
            answer = self._redis.xreadgroup(
                GROUP, self._name, {STREAM: ">"}, count=most, block=max(1, int(wait * 1000))
            )
        except ResponseError as e:
            if "NOGROUP" not in str(e):
                raise
            self._make_group()
            return 0
        streams: Any = answer or []
        return sum(self._finish(records) for _, records in streams)

    def dispatch_abandoned(self, most: int = 200) -> int:
        """Dispatch records that another dispatcher took and never finished."""
        try:
            answer: Any = self._redis.xautoclaim(STREAM, GROUP, self._name, _ABANDONED_MS, count=most)
        except ResponseError as e:
            if "NOGROUP" not in str(e):
                raise
            return 0
        return self._finish(answer[1])

    def _finish(self, records: list[tuple[bytes, dict[bytes, bytes] | None]]) -> int:
        events: Counter[str] = Counter()
        for record_id, fields in records:
            if fields and (delivery := _read(fields[b"r"])) is not None:
                self._enqueue(delivery)
                events[delivery.event] += 1
            self._redis.xack(STREAM, GROUP, record_id)
            self._redis.xdel(STREAM, record_id)
        if events:
            counters.count(self._redis, [("deliveries", (event,), float(n)) for event, n in events.items()])
        return len(records)

    def _enqueue(self, delivery: Delivery) -> None:
        self._remember(delivery)
        if delivery.moved:
            branches.moved(self._redis, delivery.full_name, *delivery.moved)
        for subject in delivery.subjects:
            reason = f"{delivery.event}.{delivery.action}" if delivery.action else delivery.event
            self._queue.enqueue(subject, reason=f"{reason} ({delivery.id})", ask=delivery.ask)

    def _remember(self, delivery: Delivery) -> None:
        from ghapp.github.directory import Place

        if delivery.repository and delivery.installation and "/" in delivery.full_name:
            self._directory.remember(Place(delivery.repository, delivery.full_name, delivery.installation))

    def _make_group(self) -> None:
        try:
            # From the beginning: what was written before anybody listened counts too.
            self._redis.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
        except ResponseError as e:
            if "BUSYGROUP" not in str(e):
                raise
