"""One call to GitHub: signed, counted, paced, conditional, retried where that is safe, its failure made a sentence.

githubkit carries it (``transport.py``). It holds no token longer than the call that carries it.
"""

from __future__ import annotations

import email.utils
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ghapp.github import errors
from ghapp.github.conditional import ConditionalCache, Kept
from ghapp.github.limits import Limits, new_call

if TYPE_CHECKING:
    import httpx
    from githubkit import GitHub

    from ghapp.settings import Settings

API_VERSION = "2022-11-28"
_TRIES = 3
_LONGEST_SLEEP = 3.0  # seconds that a call waits for its turn before the whole job is parked instead


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked of GitHub. ``token`` is empty for a call as the app itself; ``installation`` is then 0."""

    method: str
    url: str
    installation: int = 0
    token: str = ""
    params: Mapping[str, Any] | None = None
    json: Any = None
    repeatable: bool = True  # sending it twice does no harm
    headers: Mapping[str, str] | None = None

    @property
    def write(self) -> bool:
        return self.method != "GET" and not self.url.endswith("/graphql")


@dataclass(frozen=True, slots=True)
class Answer:
    """What GitHub said: its JSON (``None`` for no content, text for other types) and the address of the next page."""

    status: int
    data: Any
    next: str = ""


class Connection:
    """Calls to one GitHub. Safe for threads; a process that forks makes its own.

    ``calls`` counts what went out, by ``"GET /repos/…"`` form, for budgets in tests and for metrics.
    """

    def __init__(
        self,
        settings: Settings,
        limits: Limits,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings, self.limits = settings, limits
        self._sleep, self._clock = sleep, clock
        self._github: GitHub[Any] | None = None
        self._lock = threading.Lock()
        self.app_id = settings.app_id
        self.graphql_url, self.web_url = settings.github_graphql_url, settings.github_web_url
        self.conditional = ConditionalCache()
        self.calls: Counter[str] = Counter()

    def send(self, call: Call) -> Answer:
        """Send ``call`` and return GitHub's answer. Raises what ``errors.py`` lists."""
        for attempt in range(1, _TRIES + 1):
            response = self._attempt(call, last=attempt == _TRIES)
            if response is not None:
                return self._answer(call, response)
            self._sleep(0.25 * 4 ** (attempt - 1) * random.uniform(0.75, 1.25))  # noqa: S311 - not a secret
        raise AssertionError("the last attempt answers or raises")

    # --- one attempt --------------------------------------------------------------------------------
    def _attempt(self, call: Call, *, last: bool) -> httpx.Response | None:
        """The response; ``None`` where trying again makes sense."""
        import httpx
        from githubkit.exception import RequestError, RequestFailed

        name = new_call()
        self._take_turn(call, name)
        self.calls[f"{call.method} {_form(call.url)}"] += 1
        try:
            response = self._client(call.token).request(
                call.method, call.url, params=call.params, json=call.json, headers=self._headers(call)
            )
            return response.raw_response
        except RequestFailed as e:
            raw = e.response.raw_response
            if raw.status_code >= 500:
                if call.repeatable and not last:
                    return None
                raise errors.GitHubAway(
                    f"GitHub answered {raw.status_code} to {call.method} {_form(call.url)}.", status=raw.status_code
                ) from None
            return raw
        except RequestError as e:
            never_sent = isinstance(e.exc, httpx.ConnectError | httpx.ConnectTimeout)
            if (call.repeatable or never_sent) and not last:
                return None
            reason = str(e.exc) or type(e.exc).__name__
            raise errors.GitHubAway(f"GitHub at {self._settings.github_api_url} cannot be reached: {reason}.") from None
        finally:
            self.limits.leave(call.installation, name)

    def _take_turn(self, call: Call, name: str) -> None:
        give_up = self._clock() + _LONGEST_SLEEP
        while (wait := self.limits.enter(call.installation, name, write=call.write)) is not None:
            if wait.until > give_up:
                raise self._limited(call, f"Calls for this installation wait ({wait.reason})", wait.until)
            self._sleep(max(0.05, wait.until - self._clock()))

    def _headers(self, call: Call) -> dict[str, str]:
        headers = {"X-GitHub-Api-Version": API_VERSION, **(call.headers or {})}
        if call.method == "GET":
            headers |= self.conditional.headers(call.installation, _key(call), call.token)
        return headers

    def _client(self, token: str) -> GitHub[Any]:
        from ghapp.github.transport import sign_in, with_token

        with self._lock:
            if self._github is None:
                self._github = sign_in(self._settings)
        return with_token(self._github, token) if token else self._github

    # --- what the response means ----------------------------------------------------------------------
    def _answer(self, call: Call, response: httpx.Response) -> Answer:
        self._note_budget(call, response)
        if response.status_code == 304 and (kept := self.conditional.get(call.installation, _key(call))):
            return Answer(304, kept.data, kept.link)
        if response.status_code >= 400:
            raise self._error(call, response)
        data = _content(response)
        if _graphql_limited(data):
            until = max(self._clock() + 1, float(_int(response.headers.get("x-ratelimit-reset", ""))))
            self.limits.park(call.installation, until)
            raise self._limited(call, "GitHub's GraphQL rate limit is reached", until, 200)
        link = response.links.get("next", {}).get("url", "")
        if call.method == "GET" and response.status_code == 200:
            etag, modified = response.headers.get("etag", ""), response.headers.get("last-modified", "")
            kept = Kept(etag, modified, call.token, data, link, len(response.content))
            self.conditional.keep(call.installation, _key(call), kept)
        return Answer(response.status_code, data, link)

    def _note_budget(self, call: Call, response: httpx.Response) -> None:
        headers = response.headers
        # Search, GraphQL and others have budgets of their own; only the main one says what an installation has left.
        if headers.get("x-ratelimit-resource", "core") == "core" and "x-ratelimit-remaining" in headers:
            remaining, limit = _int(headers["x-ratelimit-remaining"]), _int(headers.get("x-ratelimit-limit", ""))
            self.limits.seen(call.installation, remaining, limit, float(_int(headers.get("x-ratelimit-reset", ""))))

    def _error(self, call: Call, response: httpx.Response) -> errors.GitHubError:
        status, data = response.status_code, _content(response)
        message = str(data.get("message", "")) if isinstance(data, dict) else str(data or "")[:200]
        where = f"{call.method} {_form(call.url)}"
        if status in (403, 429) and (until := self._limit_ends(response, message)):
            self.limits.park(call.installation, until)
            return self._limited(call, "GitHub's rate limit is reached", until, status)
        if status == 401:
            if call.token:
                return errors.GitHubError(f"GitHub no longer accepts the installation token ({message}).", status=401)
            return errors.GitHubError(
                f"GitHub does not accept the App's key ({message}): check GHAPP_APP_ID, GHAPP_PRIVATE_KEY and this "
                "machine's clock.",
                status=401,
            )
        if status == 403 and "suspended" in message:
            return errors.NotInstalled("The installation is suspended.", status=403)
        if status == 403:
            needed = response.headers.get("x-accepted-github-permissions", "")
            lacks = f"it lacks the permission {needed.replace('=', ': ')}" if needed else message
            return errors.MissingPermission(
                f"The app may not {where}: {lacks}. Grant it to the installation.", status=403
            )
        if status in (404, 410):
            return errors.NotFound(f"{where}: {message or 'there is no such thing'}.", status=status)
        if status == 405:
            return errors.NotMergeable(message or "GitHub refuses to merge this now.", status=status)
        if status == 409:
            return errors.Conflict(message or "This has changed meanwhile.", status=status)
        if status == 422:
            reasons = data.get("errors", []) if isinstance(data, dict) else []
            reasons = reasons if isinstance(reasons, list) else [reasons]
            detail = "; ".join(_reason(reason) for reason in reasons)
            return errors.Invalid(f"{where}: {message}" + (f" ({detail})" if detail else ""), errors=reasons)
        return errors.GitHubError(f"{where}: GitHub answered {status}: {message}", status=status)

    def _limit_ends(self, response: httpx.Response, message: str) -> float:
        """When a rate limit ends, in seconds since the epoch; 0 when this 403 or 429 is none.

        https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
        """
        headers, now = response.headers, self._clock()
        if retry_after := headers.get("retry-after", ""):
            return now + max(1.0, _seconds(retry_after, now))
        if headers.get("x-ratelimit-remaining") == "0" and (reset := _int(headers.get("x-ratelimit-reset", ""))):
            return max(float(reset), now + 1)
        return now + 60 if response.status_code == 429 or "rate limit" in message.lower() else 0.0

    def _limited(self, call: Call, what: str, until: float, status: int = 0) -> errors.RateLimited:
        moment = datetime.fromtimestamp(until, UTC)
        return errors.RateLimited(
            f"{what}; work goes on at {moment:%H:%M:%S} UTC.",
            until=moment,
            installation=call.installation or None,
            status=status,
        )


def _key(call: Call) -> str:
    return f"{call.url}?{sorted((call.params or {}).items())}"


def _form(url: str) -> str:
    """An address for people and for counters: without host, query or anything secret."""
    path = url.split("?", 1)[0]
    return "/" + path.split("://", 1)[1].partition("/")[2] if "://" in path else path


def _content(response: httpx.Response) -> Any:
    if not response.content:
        return None
    if "json" in response.headers.get("content-type", ""):
        import orjson

        try:
            return orjson.loads(response.content)
        except orjson.JSONDecodeError:
            return response.text
    return response.text


def _graphql_limited(data: Any) -> bool:
    """GraphQL says so with status 200: https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits"""
    found = data.get("errors") if isinstance(data, dict) else None
    return isinstance(found, list) and any(isinstance(e, dict) and e.get("type") == "RATE_LIMITED" for e in found)


def _int(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def _seconds(retry_after: str, now: float) -> float:
    """``Retry-After`` is a number of seconds or a date (RFC 9110)."""
    if retry_after.isdecimal():
        return float(retry_after)
    try:
        return email.utils.parsedate_to_datetime(retry_after).timestamp() - now
    except ValueError:
        return 60.0


def _reason(reason: Any) -> str:
    if isinstance(reason, dict):
        return str(
            reason.get("message") or " ".join(str(reason.get(k, "")) for k in ("resource", "field", "code"))
        ).strip()
    return str(reason)
