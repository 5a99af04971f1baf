"""The reconcile of one comment: are there commands in it, may their author give them, and have they been carried out?

Our own reaction on the comment says that they have. Only new comments count: one that was edited later could have been
edited by somebody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ghapp import names
from ghapp.github import comments, errors
from ghapp.github.people import People, Permission
from jobs import subjects
from jobs.commands import Command, parse
from jobs.promotion import carry_out
from jobs.promotion.carry_out import Answer, Order
from jobs.promotion.view import look
from jobs.reconcile import Context
from jobs.subjects import Subject
from policies.markdown import defuse_mentions

PERMISSION: Permission = "write"  # what a commander needs on the repository


def reconcile(subject: Subject, context: Context) -> None:
    """Carry out the commands of one comment, once."""
    client = context.github.for_repository(subject.repository)
    try:
        comment = client.get(f"issues/comments/{subject.comment}")
    except errors.NotFound:
        return  # deleted before it was read
    found = parse(str(comment.get("body") or ""))
    author = (comment.get("user") or {}).get("login")
    if not found or not author or (comment.get("user") or {}).get("type") == "Bot" or _edited(comment):
        return
    if comments.reacted(client, subject.comment, context.github.login):
        return
    number = int(str(comment["issue_url"]).rpartition("/")[2])
    people = People(context.github.store, context.github.for_installation(client.installation))
    if not people.at_least(client, author, PERMISSION, fresh=True):
        comments.react(client, subject.comment, "confused")
        return
    pull = client.get(f"pulls/{number}")
    answers = [_answer(subject, context, command, author, comment, pull) for command in found]
    words = "\n\n".join(defuse_mentions(a.words) for a in answers if a.words)
    if words:
        comments.put(client, number, f"answer to {subject.comment}", words)
    # Last, since it says that all is done.
    comments.react(client, subject.comment, "+1" if all(a.done for a in answers) else "confused")


def _answer(
    subject: Subject,
    context: Context,
    command: Command,
    author: str,
    comment: Mapping[str, Any],
    pull: Mapping[str, Any],
) -> Answer:
    if command.word not in carry_out.WORDS:
        # The commit's reconcile reads the conversation itself: which commit may run, what is to run again.
        ask = subjects.Ask("command", command.word, author, f"comment-{subject.comment}", {"rest": command.rest})
        context.queue.enqueue(subjects.commit(subject.repository, str(pull["head"]["sha"])), ask=ask)
        return Answer(True)
    app, environment = names.promotion_of(str(pull["head"]["ref"])) or ("", "")
    at = datetime.fromisoformat(str(comment["created_at"]).replace("Z", "+00:00"))
    order = Order(command, author, at, int(pull["number"]), app, environment)
    answer = carry_out.carry_out(look(context, subject.repository), order)
    for name, place in answer.look_at:
        context.queue.enqueue(subjects.environment(subject.repository, name, place), reason=f"/{command.word}")
    return answer


def _edited(comment: Mapping[str, Any]) -> bool:
    return bool(comment.get("updated_at")) and comment["updated_at"] != comment.get("created_at")
