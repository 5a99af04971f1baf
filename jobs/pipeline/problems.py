"""What is wrong with an app's pipeline before it can start: everything at once, each with its line.

Shapes were checked when the file was read; here it is asked whether what it names exists: plugins and their inputs,
secrets, profiles, patterns, conditions, image names.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ghapp.config import AppFile, Step
from ghapp.registry import BadReference
from ghapp.registry import parse as parse_reference
from jobs import plugins
from jobs.pipeline import conditions, triggers
from jobs.pipeline.resources import USUAL, Profiles, UnknownProfile
from jobs.pipeline.secrets import Secrets
from policies.yamltext import Document, Problem

_Where = tuple[str | int, ...]


def problems(file: AppFile, secrets: Secrets | None, profiles: Profiles = USUAL) -> list[Problem]:
    """All problems of one app. Without ``secrets`` (code of strangers, who get none) their names are not looked up."""
    app, document = file.app, file.document
    found = list(triggers.problems(app, document))
    for stage in ("before", "after"):
        for index, step in enumerate(getattr(app.pipeline, stage)):
            found += _step(step, ("pipeline", stage, index), file, secrets, profiles)
    found += _resources(profiles, app.pipeline.resources, None, ("pipeline", "resources"), document)
    found += _image(file)
    return found


def _step(step: Step, where: _Where, file: AppFile, secrets: Secrets | None, profiles: Profiles) -> Iterator[Problem]:
    document = file.document
    if step.uses:
        yield from _plugin(step, where, document)
    if "${{" in step.run:
        fix = "give the value by `env` and use it as a shell variable: nothing is ever put into a script's text"
        yield document.problem((*where, "run"), "`${{ }}` in a script", fix)
    if secrets is not None:
        for index, name in enumerate(step.secrets):
            if not secrets.has(name):
                yield document.problem((*where, "secrets", index), secrets.where(name))
    for key in ("when", "pass_if", "fail_if"):
        yield from _condition(getattr(step, key), (*where, key), document)
    for key, value in step.env.items():
        for expression in conditions.embedded(str(value)):
            yield from _condition(expression, (*where, "env", key), document)
    yield from _resources(profiles, file.app.pipeline.resources, step, (*where, "resources"), document)


def _plugin(step: Step, where: _Where, document: Document) -> Iterator[Problem]:
    try:
        plugin = plugins.find(step.uses)
    except plugins.UnknownPlugin as e:
        yield document.problem((*where, "uses"), str(e), e.fix)
        return
    for path, message, fix in plugins.input_problems(plugin, dict(step.with_)):
        yield document.problem((*where, "with", *path) if step.with_ else (*where, "uses"), message, fix)


def _condition(expression: str, where: _Where, document: Document) -> Iterator[Problem]:
    if expression:
        try:
            conditions.program(expression)
        except conditions.BadCondition as e:
            yield document.problem(where, str(e))


def _resources(
    profiles: Profiles, wish: Any, step: Step | None, where: _Where, document: Document
) -> Iterator[Problem]:
    if step is not None and step.resources is None:
        return
    try:
        wanted = profiles.resolve(wish, step.resources if step else None)
    except UnknownProfile as e:
        yield document.problem(where, str(e.args[0]))
        return
    for sentence in profiles.too_large(wanted):
        yield document.problem(where, sentence, "ask for less, or raise the limit of this installation")


def _image(file: AppFile) -> Iterator[Problem]:
    image = file.app.pipeline.image
    if image is None:
        return
    where = ("pipeline", "image")
    try:
        reference = parse_reference(image.repository)
        if reference.tag or reference.digest:
            fix = "tags are given under `tags`"
            yield file.document.problem((*where, "repository"), "an image's repository has neither tag nor digest", fix)
    except BadReference as e:
        yield file.document.problem((*where, "repository"), str(e))
    if image.base and image.base != "scratch":
        try:
            parse_reference(image.base)
        except BadReference as e:
            yield file.document.problem((*where, "base"), str(e))
