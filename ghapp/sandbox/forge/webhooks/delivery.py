"""Sends deliveries in the background: signed, in order for each app, once, and never again by itself.

Everything is logged, also what nobody took; an app finds there what it missed and may ask for it again.
"""

from __future__ import annotations

import hashlib
import hmac
import queue
import ssl
import threading
import time
import uuid
from functools import cache
from typing import Any

import httpx
import orjson

from ghapp.sandbox.forge.model import App, Delivery, Event, Installation, Organization, State
from ghapp.sandbox.forge.model.ids import node_id
from ghapp.sandbox.forge.serialize.accounts import simple_organization, simple_user
from ghapp.sandbox.forge.serialize.repositories import repository
from ghapp.sandbox.forge.web.faults import Faults
from ghapp.sandbox.forge.webhooks.subscriptions import recipients

# GitHub's own: what takes longer has failed, what is larger is not sent.
TIMEOUT_SECONDS = 10
SIZE_LIMIT = 25 << 20

# How long a delivery that is held back waits for one to overtake it.
_HOLD_SECONDS = 0.3


@cache
def _certificates() -> ssl.SSLContext:
    """Whom to trust; reading that takes a while and is the same for all."""
    return ssl.create_default_context()


def payload(state: State, event: Event, installation: Installation) -> dict[str, Any]:
    """The whole body of a delivery."""
    body: dict[str, Any] = {} if event.action is None else {"action": event.action}
    if event.repository is not None:
        body["repository"] = repository(state, event.repository)
    body |= event.payload()
    organization = event.organization
    if event.repository is not None and isinstance(event.repository.owner, Organization):
        organization = event.repository.owner
    if organization is not None:
        body["organization"] = simple_organization(state, organization)
    body.setdefault("installation", {"id": installation.id, "node_id": node_id("IN", installation.id)})
    body["sender"] = simple_user(state, event.sender)
    return body


class Deliverer:
    """Listens to the state and sends. ``close`` waits for nothing."""

    def __init__(self, state: State, faults: Faults) -> None:
        self._state, self._faults = state, faults
        self._queues: dict[int, queue.Queue[Delivery | None]] = {}
        self._changed = threading.Condition()
        self._open = 0
        self._closed = False
        state.listeners.append(self.hear)

    def hear(self, event: Event) -> None:
        """Make a delivery for everybody who is to be told. Called with the state's lock held."""
        if self._closed:
            return
        for installation in recipients(self._state, event):
            body = orjson.dumps(payload(self._state, event, installation))
            if len(body) <= SIZE_LIMIT:
                repository_id = event.repository.id if event.repository else None
                self._enqueue(
                    self._delivery(
                        installation.app,
                        str(uuid.uuid4()),
                        event.name,
                        event.action,
                        installation.id,
                        repository_id,
                        body,
                    )
                )

    def _delivery(
        self,
        app: App,
        guid: str,
        event: str,
        action: str | None,
        installation_id: int | None,
        repository_id: int | None,
        body: bytes,
        redelivery: bool = False,
    ) -> Delivery:
        headers = {
            "Accept": "*/*",
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/f0rge00",
            "X-GitHub-Delivery": guid,
            "X-GitHub-Event": event,
            "X-GitHub-Hook-ID": str(app.hook_id),
            "X-GitHub-Hook-Installation-Target-ID": str(app.id),
            "X-GitHub-Hook-Installation-Target-Type": "integration",
        }
        if app.webhook_secret:
            secret = app.webhook_secret.encode()
            headers["X-Hub-Signature"] = "sha1=" + hmac.new(secret, body, hashlib.sha1).hexdigest()
            headers["X-Hub-Signature-256"] = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
        return Delivery(
            id=self._state.new_id("D")[0],
            guid=guid,
            app=app,
            event=event,
            action=action,
            installation_id=installation_id,
            repository_id=repository_id,
            request_headers=headers,
            request_body=body,
            delivered_at=self._state.now(),
            redelivery=redelivery,
        )

    def redeliver(self, delivery_id: int) -> bool:
        """Send one again under the same guid; False when there is none or nowhere to send it."""
        old = next((d for d in self._state.deliveries_newest_first() if d.id == delivery_id), None)
        if old is None or not old.app.webhook_url:
            return False
        self._enqueue(
            self._delivery(
                old.app,
                old.guid,
                old.event,
                old.action,
                old.installation_id,
                old.repository_id,
                old.request_body,
                redelivery=True,
            )
        )
        return True

    def wait(self, timeout: float = 10) -> bool:
        """Wait until everything that was to be sent has been; False when it takes longer than ``timeout`` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._open == 0, timeout)

    def close(self) -> None:
        self._closed = True
        for waiting in self._queues.values():
            waiting.put(None)

    # In the background ------------------------------------------------------------------------------------------------

    def _enqueue(self, delivery: Delivery) -> None:
        self._state.deliveries.append(delivery)
        with self._changed:
            self._open += 1
            waiting = self._queues.get(delivery.app.id)
            if waiting is None:
                waiting = self._queues[delivery.app.id] = queue.Queue()
                threading.Thread(
                    target=self._send_all, args=(waiting,), name=f"forge-hooks-{delivery.app.slug}", daemon=True
                ).start()
        waiting.put(delivery)

    def _send_all(self, waiting: queue.Queue[Delivery | None]) -> None:
        with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False, verify=_certificates()) as client:
            self._send_with(client, waiting)

    def _send_with(self, client: httpx.Client, waiting: queue.Queue[Delivery | None]) -> None:
        held: list[Delivery] = []
        while True:
            try:
                delivery = waiting.get(timeout=_HOLD_SECONDS if held else None)
            except queue.Empty:
                self._finish(client, held)
                continue
            if delivery is None:
                return
            fate = self._faults.delivery_fate()
            if fate == "hold":
                held.append(delivery)
                continue
            if fate == "lose":
                delivery.status, delivery.status_code = "timed out", 504
            else:
                self._send(client, delivery)
            if fate == "double":
                self._send(client, delivery)
            self._done()
            self._finish(client, held)

    def _finish(self, client: httpx.Client, held: list[Delivery]) -> None:
        while held:
            self._send(client, held.pop(0))
            self._done()

    def _done(self) -> None:
        with self._changed:
            self._open -= 1
            self._changed.notify_all()

    def _send(self, client: httpx.Client, delivery: Delivery) -> None:
        """One attempt; whatever happens is written into the log."""
        url = delivery.url = delivery.app.webhook_url
        delivery.delivered_at = self._state.now()
        started = time.monotonic()
        if not url:
            delivery.status, delivery.status_code = "failed to connect to host", 502
            return
        try:
            answer = client.post(url, content=delivery.request_body, headers=delivery.request_headers)
        except httpx.TimeoutException:
            delivery.status, delivery.status_code = "timed out", 504
        except (httpx.HTTPError, httpx.InvalidURL, RuntimeError):
            delivery.status, delivery.status_code = "failed to connect to host", 502
        else:
            delivery.status_code = answer.status_code
            delivery.status = answer.reason_phrase or ("OK" if answer.is_success else "Invalid HTTP Response")
            delivery.response_headers = dict(answer.headers)
            delivery.response_body = answer.text[:4096]
        delivery.duration = time.monotonic() - started
