"""Calls: complete lists, free repetitions, retries where they do no harm, limits obeyed, errors told apart."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ghapp.github import errors
from ghapp.github.app import GitHubApp
from ghapp.github.client import RepositoryClient

from .conftest import Answer, Asked, Moment, Scripted

ROOT = "/repos/acme/web"


@pytest.fixture
def client(app: GitHubApp, github: Scripted) -> RepositoryClient:
    made = app.for_repository("acme/web")
    made.get("")
    github.asked.clear()
    app.calls.clear()
    return made


# --- lists -----------------------------------------------------------------------------------------
def pages(github: Scripted, route: str, total: int, *, key: str = "", size: int = 100, more: object = None) -> None:
    """Serve a list of ``total`` numbers in pages, with GitHub's Link headers."""

    def answer(asked: Asked) -> Answer:
        query = dict(part.split("=") for part in asked.path.partition("?")[2].split("&") if part)
        page = int(query.get("page", 1))
        items = list(range(total))[(page - 1) * size : page * size]
        link = f'<{github.url}{route}?page={page + 1}&per_page={size}>; rel="next"' if page * size < total else ""
        body = {key: items, **(more or {})} if key else items  # type: ignore[dict-item]
        return Answer(body, 200, {"Link": link} if link else {})

    github.on(f"GET {route}", answer)


def test_a_list_is_complete(client: RepositoryClient, github: Scripted) -> None:
    pages(github, f"{ROOT}/issues", 250)
    assert client.paginate("issues") == list(range(250))
    assert github.count(f"GET {ROOT}/issues") == 3


@pytest.mark.parametrize(
    ("path", "total", "complete"),
    [
        ("pulls/1/commits", 249, True),
        ("pulls/1/commits", 250, False),
        ("pulls/1/files", 2999, True),
        ("pulls/1/files", 3000, False),
    ],
)
def test_a_list_that_github_cuts_short_is_refused(
    client: RepositoryClient, github: Scripted, path: str, total: int, complete: bool
) -> None:
    pages(github, f"{ROOT}/{path}", total)
    if complete:
        assert len(client.paginate(path)) == total
    else:
        with pytest.raises(errors.Truncated, match=f"only the first {total} entries"):
            client.paginate(path)


@pytest.mark.parametrize("more", [{"incomplete_results": True}, {"total_count": 4}])
def test_an_envelope_that_admits_a_part_is_refused(client: RepositoryClient, github: Scripted, more: object) -> None:
    pages(github, "/search/issues", 3, key="items", more=more)
    with pytest.raises(errors.Truncated):
        client.paginate("/search/issues", key="items", q="x")


def test_a_limit_of_ones_own(client: RepositoryClient, github: Scripted) -> None:
    pages(github, f"{ROOT}/issues", 101)
    with pytest.raises(errors.Truncated, match="more than 100 entries"):
        client.paginate("issues", limit=100)


# --- conditional requests ---------------------------------------------------------------------------
def test_what_has_not_changed_is_free(client: RepositoryClient, github: Scripted) -> None:
    github.on(
        f"GET {ROOT}/contents/a",
        Answer({"v": 1}, 200, {"ETag": '"one"'}),
        Answer(None, 304),
        Answer({"v": 2}, 200, {"ETag": '"two"'}),
    )
    assert [client.get("contents/a", ref="main")["v"] for _ in range(3)] == [1, 1, 2]
    sent = [asked.headers.get("if-none-match") for asked in github.asked]
    assert sent == [None, '"one"', '"one"']


def test_pages_are_conditional_too(client: RepositoryClient, github: Scripted) -> None:
    link = {"Link": f'<{github.url}{ROOT}/issues?page=2>; rel="next"'}
    github.on(
        f"GET {ROOT}/issues",
        Answer([1], 200, {"ETag": '"p1"', **link}),
        Answer([2], 200, {"ETag": '"p2"'}),
        Answer(None, 304),
    )
    assert [client.paginate("issues"), client.paginate("issues")] == [[1, 2], [1, 2]]
    assert [asked.headers.get("if-none-match") for asked in github.asked] == [None, None, '"p1"', '"p2"']


def test_a_new_token_asks_by_date_because_etags_hold_for_one_token(app: GitHubApp, github: Scripted) -> None:
    client = app.for_repository("acme/web")
    date = "Mon, 02 Mar 2026 10:00:00 GMT"
    github.on(f"GET {ROOT}/x", Answer({"v": 1}, 200, {"ETag": '"one"', "Last-Modified": date}), Answer(None, 304))
    client.get("x")
    app.tokens.forget(9)
    assert client.get("x") == {"v": 1}
    last = github.last(f"GET {ROOT}/x").headers
    assert (last.get("if-none-match"), last.get("if-modified-since")) == (None, date)


def test_kept_answers_are_bounded(app: GitHubApp) -> None:
    from ghapp.github.conditional import ConditionalCache, Kept

    cache = ConditionalCache(max_bytes=1000)
    for number in range(100):
        cache.keep(9, str(number), Kept('"e"', "", "t", number, "", 100))
    assert [cache.get(9, str(number)) is not None for number in (0, 89, 90, 99)] == [False, False, True, True]
    cache.forget(9)
    assert cache.get(9, "99") is None


# --- failures --------------------------------------------------------------------------------------
@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_what_can_be_repeated_is_tried_again(
    client: RepositoryClient, github: Scripted, moment: Moment, method: str
) -> None:
    github.on(f"{method.upper()} {ROOT}/x", Answer({}, 502), None, Answer({"ok": True}))
    assert getattr(client, method)("x") == {"ok": True}
    assert len(moment.slept) == 2


def test_what_makes_something_new_is_sent_once(client: RepositoryClient, github: Scripted) -> None:
    github.on(f"POST {ROOT}/issues", Answer({}, 502))
    with pytest.raises(errors.GitHubAway, match=r"GitHub answered 502 to POST /repos/acme/web/issues\."):
        client.post("issues", {})
    assert github.count(f"POST {ROOT}/issues") == 1


def test_github_away_is_said(client: RepositoryClient, github: Scripted) -> None:
    github.on(f"GET {ROOT}/x", None)
    with pytest.raises(errors.GitHubAway, match=f"GitHub at {github.url} cannot be reached"):
        client.get("x")
    assert github.count(f"GET {ROOT}/x") == 3


@pytest.mark.parametrize(
    ("status", "body", "kind", "sentence"),
    [
        (404, {"message": "Not Found"}, errors.NotFound, "PUT /repos/acme/web/pulls/1/merge: Not Found"),
        (405, {"message": "Pull Request is not mergeable"}, errors.NotMergeable, "Pull Request is not mergeable"),
        (409, {"message": "Head branch was modified."}, errors.Conflict, "Head branch was modified."),
        (410, {"message": "Issues are disabled"}, errors.NotFound, "Issues are disabled"),
        (
            422,
            {"message": "Validation Failed", "errors": [{"resource": "Issue", "field": "title", "code": "missing"}]},
            errors.Invalid,
            r"Validation Failed \(Issue title missing\)",
        ),
        (422, {"message": "No", "errors": "one text"}, errors.Invalid, r"No \(one text\)"),
        (451, {"message": "Blocked"}, errors.GitHubError, "GitHub answered 451: Blocked"),
        (403, {"message": "Resource not accessible by integration"}, errors.MissingPermission, "The app may not PUT"),
    ],
)
def test_errors_are_told_apart(
    client: RepositoryClient, github: Scripted, status: int, body: object, kind: type[Exception], sentence: str
) -> None:
    github.on(f"PUT {ROOT}/pulls/1/merge", Answer(body, status))
    with pytest.raises(kind, match=sentence):
        client.put("pulls/1/merge", {"sha": "a" * 40})


# --- limits ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("status", "headers", "message", "seconds"),
    [
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1800000777"}, "API rate limit exceeded", 777),
        (429, {"Retry-After": "30"}, "Too many", 30),
        (403, {"Retry-After": "Fri, 15 Jan 2027 08:02:00 GMT"}, "secondary", 120),
        (403, {}, "You have exceeded a secondary rate limit.", 60),
        (429, {}, "", 60),
    ],
)
def test_a_limit_parks_the_installation_until_it_ends(
    client: RepositoryClient,
    github: Scripted,
    moment: Moment,
    status: int,
    headers: dict[str, str],
    message: str,
    seconds: int,
) -> None:
    github.on(f"GET {ROOT}/x", Answer({"message": message}, status, headers), Answer({"ok": True}))
    began = moment.now
    with pytest.raises(errors.RateLimited) as first:
        client.get("x")
    assert first.value.until == datetime.fromtimestamp(began + seconds, UTC)
    assert first.value.installation == 9
    with pytest.raises(errors.RateLimited) as second:
        client.get("y")
    assert second.value.until == first.value.until
    assert (github.count(f"GET {ROOT}/x"), github.count(f"GET {ROOT}/y")) == (1, 0)  # no spinning
    moment.now = began + seconds + 1
    assert client.get("x") == {"ok": True}


def test_one_installation_does_not_park_another(app: GitHubApp, client: RepositoryClient, github: Scripted) -> None:
    github.on(f"GET {ROOT}/x", Answer({}, 429))
    with pytest.raises(errors.RateLimited):
        client.get("x")
    github.on("POST /app/installations/10/access_tokens", Answer({"token": "t", "expires_at": "2099-01-01T00:00:00Z"}))
    github.on("GET /y", Answer({"ok": True}))
    assert app.for_installation(10).get("/y") == {"ok": True}


def test_writes_keep_to_githubs_pace(client: RepositoryClient, github: Scripted, moment: Moment) -> None:
    github.on(f"POST {ROOT}/issues", Answer({}, 201))
    for _ in range(80):
        client.post("issues", {})
    with pytest.raises(errors.RateLimited, match="writes"):
        client.post("issues", {})
    github.on(f"GET {ROOT}/x", Answer({}))
    client.get("x")  # reading goes on
    moment.now += 58
    client.post("issues", {})  # waits the two seconds that are left
    assert github.count(f"POST {ROOT}/issues") == 81
    assert sum(moment.slept) == pytest.approx(2, abs=0.2)


def test_graphqls_limit_comes_with_status_200(client: RepositoryClient, github: Scripted, moment: Moment) -> None:
    limited = Answer(
        {"errors": [{"type": "RATE_LIMITED", "message": "limit"}]}, 200, {"X-RateLimit-Reset": "1800000900"}
    )
    github.on("POST /api/graphql", limited)
    with pytest.raises(errors.RateLimited) as e:
        client.graphql("query { viewer { login } }")
    assert e.value.until == datetime.fromtimestamp(moment.now + 900, UTC)


# --- GraphQL ----------------------------------------------------------------------------------------
def test_graphql_gives_data_or_says_what_is_wrong(client: RepositoryClient, github: Scripted) -> None:
    github.on("POST /api/graphql", Answer({"data": {"x": 1}}), Answer({"data": None, "errors": [{"message": "No y"}]}))
    assert client.graphql("query($n: Int!) { x }", {"n": 1}) == {"x": 1}
    assert github.last("POST /api/graphql").body == {"query": "query($n: Int!) { x }", "variables": {"n": 1}}
    with pytest.raises(errors.GraphQLError, match="GraphQL: No y"):
        client.graphql("query { y }")


def test_a_query_is_repeated_and_a_mutation_is_not(client: RepositoryClient, github: Scripted) -> None:
    github.on("POST /api/graphql", Answer({}, 502), Answer({"data": {"x": 1}}))
    assert client.graphql("query { x }") == {"x": 1}
    github.on("POST /api/graphql", Answer({}, 502), Answer({"data": {"x": 1}}))
    with pytest.raises(errors.GitHubAway):
        client.graphql("mutation { x }")


def test_calls_are_counted_for_budgets(app: GitHubApp, client: RepositoryClient, github: Scripted) -> None:
    github.on(f"GET {ROOT}/x", Answer({}))
    client.get("x", secret="value")
    client.get("x")
    assert dict(app.calls) == {f"GET {ROOT}/x": 2}
