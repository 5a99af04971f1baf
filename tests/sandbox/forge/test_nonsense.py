"""Whatever nonsense a body holds, the forge answers with a refusal of GitHub's and never fails itself."""

from __future__ import annotations

from typing import Any

NONSENSE: tuple[Any, ...] = (
    None,
    "",
    "x\0\n../",
    -1,
    10**30,
    True,
    [],
    [None],
    [{}],
    ["x"],
    {},
    {"x": [1]},
    "é" * 70_000,
)


def properties(description: Any, operation: dict[str, Any]) -> list[str]:
    """The names of a request body's fields."""
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    if "$ref" in body:
        body = description.rest.description["components"]["schemas"][body["$ref"].rsplit("/", 1)[-1]]
    alternatives = [body, *body.get("oneOf", ()), *body.get("anyOf", ())]
    return sorted({name for part in alternatives for name in part.get("properties", {})})


def test_every_field_of_every_body(world: Any, published_description: Any) -> None:
    pull = world.pull()
    ada = world.as_user("ada")
    sha = pull["head"]["sha"]
    repo = "/repos/acme/app"
    comment = ada.post(f"{repo}/issues/1/comments", json={"body": "x"}).json()["id"]
    review = ada.post(f"{repo}/pulls/1/reviews", json={}).json()["id"]
    app = world.as_installation(world.installation)
    run = app.post(f"{repo}/check-runs", json={"name": "x", "head_sha": sha}).json()
    deployment = app.post(f"{repo}/deployments", json={"ref": "main", "required_contexts": []}).json()["id"]
    known = {
        "owner": "acme",
        "repo": "app",
        "org": "acme",
        "team_slug": "writeers",
        "username": "carol",
        "pull_number": "1",
        "issue_number": "1",
        "comment_id": str(comment),
        "review_id": str(review),
        "check_run_id": str(run["id"]),
        "check_suite_id": str(run["check_suite"]["id"]),
        "deployment_id": str(deployment),
        "branch": "main",
        "ref": "heads/topic",
        "sha": sha,
        "path": "README.md",
        "name": "bug",
    }
    valid = {"title": "t", "name": "n", "head": "topic", "base": "main", "head_sha": sha, "body": "b", "ref": "main"}
    valid |= {"message": "m", "content": "eA==", "sha": sha, "tree": [], "state": "open", "tag_name": "v", "tag": "v"}
    valid |= {"event_type": "e", "object": sha, "type": "commit", "content_type": "json", "event": "COMMENT"}
    world.description = None  # a sixth of a million checks would say the same again and again
    failed = []
    for route in world.forge.application.router.routes:
        operation = published_description.operation(route.method, route.template)
        if route.method in ("GET", "DELETE") or route.access == "app" or operation is None:
            continue
        if route.template.endswith(("/transfer", "/merge")) or route.template == repo:
            continue
        path = route.template.format_map({**dict.fromkeys(_names(route.template), "1"), **known})
        client = ada if route.access == "user" else app
        for name in properties(published_description, operation):
            for value in NONSENSE:
                status = client.request(route.method, path, json={**valid, name: value}).status_code
                if status >= 500:
                    failed.append(f"{route.method} {route.template}: {name}={str(value)[:40]!r} → {status}")
    assert failed == []


def _names(template: str) -> list[str]:
    return [word[1:-1] for word in template.split("/") if word.startswith("{")]
