"""The reconcile of one app in one environment: what is wanted, what is deployed, is there a pull request that says so?

It reads like the road of a release: look, follow what is deployed, choose, propose, judge, merge. Each step writes only
what is missing, so that it can be repeated or stopped anywhere.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from ghapp import intents, names
from ghapp.config import Environment
from ghapp.evidence import notes
from ghapp.evidence.statement import Statement
from ghapp.github import comments, errors, pulls
from ghapp.render import RenderError
from jobs import subjects
from jobs.promotion import body, conversation, gate_checks, gather, health, pull_request, trailers
from jobs.promotion.carry_out import previous_release
from jobs.promotion.choose import Choice, choose
from jobs.promotion.probes import JOB_LOOKS, probe, running
from jobs.promotion.propose import WRITER, Proposal, intact, propose, push, still_good
from jobs.promotion.recording import record
from jobs.promotion.rules import rules
from jobs.promotion.view import Placed, View, look
from jobs.reconcile import Context
from jobs.showing import show
from jobs.subjects import Again, Subject
from policies.gates import facts
from policies.gates.approvers import count
from policies.gates.registry import judge, ready
from policies.verdict import State

# While GitHub works out whether a pull request can be merged, and after a merge that lost a race.
_SOON = timedelta(seconds=2)


def reconcile(subject: Subject, context: Context) -> Again | None:
    """Make (app, environment) what it should be, as far as it can be made now."""
    view = look(context, subject.repository)
    app, environment = subject.app, view.environment(subject.app, subject.environment)
    present = pull_request.find(view.client, app, subject.environment)
    if environment is None:
        if present and not view.problems:
            pull_request.close(view.client, present, f"{app} is not deployed to {subject.environment} any more.")
        return None
    placed = view.deployed(app, environment.name)
    later = _follow(view, context, environment, placed)
    choice = choose(
        view, view.apps[app].app, environment, lambda: pull_request.declined(view.client, app, environment.name)
    )
    if choice.release is None or _is_there(view, environment, placed, choice):
        if present:
            pull_request.close(view.client, present, f"Nothing is to be promoted: {choice.sentence}.")
        return _sooner(later)
    try:
        proposal = propose(view, environment, choice.release, choice.kind.value, placed)
    except RenderError as e:
        _tell_refusal(view, context, app, environment, choice, e)
        return _sooner(later)
    if proposal.no_op:
        if present:
            pull_request.close(view.client, present, f"{proposal.release.name} changes nothing in {environment.name}.")
        _record_no_op(view, context, proposal, placed)
        return _sooner(later)
    return _sooner(later, _promote(view, context, environment, choice, proposal, placed, present))


def _is_there(view: View, environment: Environment, placed: Placed | None, choice: Choice) -> bool:
    """Whether the wanted release is deployed and nobody has changed the branch by hand since."""
    if placed is None or choice.release is None:
        return False
    runs, wanted = placed.deployment.release, choice.release.name
    same = runs == wanted or view.no_ops(placed.deployment.app, environment.name).get(wanted) == runs
    return same and intact(view.git, view.heads[names.environment_branch(environment.name)], placed)


# --- the pull request -------------------------------------------------------------------------------
def _promote(
    view: View,
    context: Context,
    environment: Environment,
    choice: Choice,
    proposal: Proposal,
    placed: Placed | None,
    present: Mapping[str, Any] | None,
) -> datetime | None:
    """Have the pull request, judge it, and merge it if it is ready; the moment at which to look again, if any."""
    app = proposal.release.app
    head = _head(view, proposal, present)
    log, complete = gather.source_commits(view, proposal.release, placed)
    # What ghapp decided itself (an automatic rollback) was asked for by nobody.
    by = choice.by if choice.by != context.github.login else None
    asked = gather.Asked(choice.kind, by, choice.reason, choice.skipped)
    title = body.title(app, proposal.release.name, environment.name, choice.kind.value)
    story = _story(view, environment, choice, proposal, placed, log)
    if present is None:
        number, _ = pull_request.open_or_update(
            view.client, None, app=app, environment=environment, title=title, body=body.body(story)
        )
    else:
        number = int(present["number"])
    talk, people = conversation.read(view.client, number, log)
    found = gather.promotion(
        view,
        context.github,
        app=app,
        environment=environment,
        release=proposal.release,
        head=head,
        asked=asked,
        conversation=talk,
        commits=(people, complete),
        ups=gather.upstreams(view, app, environment, proposal.release),
    )
    policies = rules(view, context)
    found = gather.with_teams(found, policies, view.client, context.github)
    results = probe(context, found, policies)
    found = dataclasses.replace(found, results=results)
    verdicts = judge(found, policies, context.now)
    sum_ = ready(verdicts)
    text = body.body(dataclasses.replace(story, verdicts=verdicts))
    shown = {"number": number, "title": talk.title, "body": talk.body}
    pull_request.open_or_update(view.client, shown, app=app, environment=environment, title=title, body=text)
    show(context.github.store, view.client, head, gate_checks.checks_of(verdicts, sum_))
    if sum_.state is not State.PASS or environment.merge != "auto":
        soon = [context.now + JOB_LOOKS] if running(results) else []
        return min([*soon, *([sum_.until] if sum_.until else [])], default=None)
    return _merge(view, context, environment, proposal, found, talk)


def _head(view: View, proposal: Proposal, present: Mapping[str, Any] | None) -> str:
    """Where the promotion's branch is in the end: left alone where it says the same, else at the proposal."""
    branch = names.promotion_branch(proposal.deployment.environment, proposal.release.app)
    current = view.heads.get(branch)
    if current and present and still_good(view.git, proposal, current):
        return current
    push(view, proposal, view.heads)
    return proposal.head


def _story(
    view: View,
    environment: Environment,
    choice: Choice,
    proposal: Proposal,
    placed: Placed | None,
    log: Any,
) -> body.Story:
    template = view.git.read(view.heads[view.default_branch], environment.template) if environment.template else None
    return body.Story(
        app=proposal.release.app,
        environment=environment.name,
        release=proposal.release.name,
        kind=choice.kind.value,
        source=proposal.release.commit,
        repository_url=view.client.clone_url.removesuffix(".git"),
        diff=proposal.diff,
        before=proposal.before,
        after=proposal.after,
        commits=log,
        verdicts={},
        edits=proposal.edits,
        unused_images=proposal.unused_images,
        requested_by=choice.by or "",
        reason=choice.reason,
        replaced=placed.deployment.release if placed else "",
        head_text=template.decode("utf-8", "replace") if template else "",
    )


def _merge(
    view: View,
    context: Context,
    environment: Environment,
    proposal: Proposal,
    found: facts.Promotion,
    talk: conversation.Conversation,
) -> datetime | None:
    """Judge once more with permissions asked afresh, then merge exactly the head that was judged."""
    if talk.draft:
        return None
    if talk.mergeable == "UNKNOWN":
        return context.now + _SOON
    fresh = gather.with_fresh_permissions(found, view.client, context.github)
    verdicts = judge(fresh, rules(view, context), context.now)
    if ready(verdicts).state is not State.PASS:
        return context.now + _SOON
    account = trailers.Account(
        app=found.app,
        environment=environment.name,
        release=found.release.id,
        source=found.release.commit,
        images=found.release.images,
        kind=found.kind.value,
        gates=verdicts,
        approvers=count(fresh).approvers,
        requested_by=found.requested_by or "",
        reason=found.reason,
    )
    title = body.title(found.app, found.release.id, environment.name, found.kind.value)
    try:
        merged = pulls.merge(
            view.client,
            talk.number,
            sha=found.head_sha,
            method=environment.method,
            title=f"{title} (#{talk.number})",
            message=trailers.message(account),
        )
    except (errors.Conflict, errors.NotMergeable) as e:
        comments.put(view.client, talk.number, "merge", f"Not merged yet: {e.sentence} It is read and judged again.")
        return context.now + 5 * _SOON
    record(view.git, merged, fresh, verdicts, context.now)
    return _merged(view, context, environment, proposal, merged)


def _merged(view: View, context: Context, environment: Environment, proposal: Proposal, merged: str) -> datetime | None:
    """After a merge: the tree is what was proposed, the branch is gone, the decision is done."""
    app = proposal.release.app
    branch = names.environment_branch(environment.name)
    with view.git.lock():
        view.git.fetch(f"+refs/heads/{branch}:refs/heads/{branch}", prune=False)
    if view.git.object_id(merged, app) != proposal.deployment.tree:
        raise RuntimeError(f"{merged[:12]} does not hold what was proposed for {app}; nothing was deployed from it")
    pulls.delete_branch(view.client, names.promotion_branch(environment.name, app))
    _settle(view, context, environment.name, proposal)
    _wake(view, context, app, environment.name)
    return context.now


def _settle(view: View, context: Context, environment: str, proposal: Proposal) -> None:
    """What was decided for this merge alone is over: a request that has been met, broken glass. A pin stays."""
    decided = view.decided(proposal.release.app, environment)
    request = decided.request if decided.request and decided.request.release == proposal.release.name else None
    if request is None and decided.break_glass is None:
        return
    intents.change(
        view.git,
        environment,
        proposal.release.app,
        lambda i: dataclasses.replace(i, request=None if i.request == request else i.request, break_glass=None),
        message=f"deployed: {proposal.release.name} in {environment}\n",
        by=WRITER,
        at=context.now,
    )


def _wake(view: View, context: Context, app: str, environment: str) -> None:
    """What waits for this environment looks again."""
    declared = view.app(app)
    for other in declared.deploy.environments if declared else ():
        if environment in other.upstreams:
            context.queue.enqueue(
                subjects.environment(view.client.id, app, other.name), reason=f"{environment} has changed"
            )


# --- what is deployed -------------------------------------------------------------------------------
def _follow(view: View, context: Context, environment: Environment, placed: Placed | None) -> datetime | None:
    """Keep GitHub's Deployment right, wake what waits for it, and go back by itself where that is configured."""
    if placed is None:
        return None
    state = health.read(view.client, placed)
    app = placed.deployment.app
    if state.state == "success":
        health.retire(view.client, environment.name, app, state.deployment)
        _wake(view, context, app, environment.name)
    elif state.state in health.BAD:
        _roll_back(view, context, environment, placed, state)
    return None


def _roll_back(view: View, context: Context, environment: Environment, placed: Placed, state: health.Health) -> None:
    """After a failure within the configured time, pin the release before; never a rollback of a rollback."""
    limit, app = environment.rollback.automatic, placed.deployment.app
    if limit is None or placed.deployment.kind == facts.Kind.ROLLBACK or state.failed_at is None:
        return
    if state.failed_at - placed.commit.at > limit or view.decided(app, environment.name).pin:
        return
    earlier = previous_release(view, app, environment.name)
    if earlier is None:
        return
    decision = intents.Decision(
        by=context.github.login,
        at=state.failed_at,
        reason=f"{placed.deployment.release} became unhealthy: {state.description or state.state}",
        release=earlier,
        kind=facts.Kind.ROLLBACK.value,
    )
    intents.change(
        view.git,
        environment.name,
        app,
        lambda i: dataclasses.replace(i, pin=i.pin or decision, request=None),
        message=f"automatic rollback: {app} in {environment.name}\n\n{decision.reason}\n",
        by=WRITER,
        at=state.failed_at,
    )
    context.queue.enqueue(subjects.environment(view.client.id, app, environment.name), reason="automatic rollback")


# --- releases that do not become pull requests ------------------------------------------------------
def _tell_refusal(
    view: View, context: Context, app: str, environment: Environment, choice: Choice, error: RenderError
) -> None:
    """A release that cannot be rendered: a failed check on its source commit, with every reason."""
    if choice.release is None:
        return
    name = f"ghapp / {app} / render {environment.name}"
    first = f"{app} cannot be deployed to {environment.name}: {error.problems[0]}"
    check = gate_checks.refusal(name, first, body.refused(error.problems), context.now)
    show(context.github.store, view.client, choice.release.commit, [check])


def _record_no_op(view: View, context: Context, proposal: Proposal, placed: Placed | None) -> None:
    """The cluster would not notice: recorded as deployed by a note, and the chain goes on."""
    release, environment = proposal.release, proposal.deployment.environment
    if placed is None:
        return
    statement = Statement(
        names.PREDICATE_NO_OP,
        release.commit,
        {
            "app": release.app,
            "environment": environment,
            "release": release.name,
            "same_as": placed.deployment.release,
        },
    )
    if notes.append(view.git, release.commit, [statement], view.signer, context.now):
        _wake(view, context, release.app, environment)


def _sooner(*moments: datetime | None) -> Again | None:
    first = min((m for m in moments if m is not None), default=None)
    return Again(first, "time alone may change a verdict") if first else None
