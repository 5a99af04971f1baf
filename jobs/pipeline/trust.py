"""Whether a pull request from a fork may run: its author may write, or someone who may has said ``/ok-to-test <sha>``.

That word holds for the one commit that it names in full: an abbreviated SHA could be made to fit another commit.
"""

from __future__ import annotations

from ghapp.github.client import RepositoryClient
from ghapp.github.people import People
from jobs.commands import parse
from jobs.pipeline.triggers import Pull


def may_run(client: RepositoryClient, people: People, pull: Pull, sha: str) -> bool:
    """Asks GitHub for the author's permission and, if that is not enough, for the conversation."""
    if people.at_least(client, pull.author, "write"):
        return True
    for comment in client.paginate(f"issues/{pull.number}/comments"):
        login = (comment.get("user") or {}).get("login")
        edited = comment.get("updated_at") != comment.get("created_at")
        if not login or edited or "/ok-to-test" not in (comment.get("body") or ""):
            continue
        said = any(c.word == "ok-to-test" and c.arguments[:1] == [sha] for c in parse(comment["body"]))
        if said and people.at_least(client, login, "write"):
            return True
    return False


def sentence(pull: Pull, sha: str) -> str:
    """What has to happen before it runs."""
    return (
        f"this comes from a fork and {pull.author or 'its author'} has no write permission: someone who has must look "
        f"at it and comment `/ok-to-test {sha}`"
    )
