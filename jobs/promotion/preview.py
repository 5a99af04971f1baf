"""``ghapp / preview`` on a source pull request: what merging it would change in each environment's cluster.

Compares two renderings, with and without the change, so that what is waiting to be promoted does not blur the picture.
Nothing that the pull request contains is run.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from ghapp import names
from ghapp.config import AppFile, Environment
from ghapp.git import Git, GitError
from ghapp.github.checks import Check, Conclusion
from ghapp.render import Manifest, Options, RenderError, render
from ghapp.render.diff import diff
from jobs.promotion.body import cluster_changes, refused
from jobs.promotion.view import read_apps
from policies.markdown import escape


def preview(git: Git, base: str, head: str) -> Check | None:
    """The check that shows it; ``None`` where the change touches nothing that is deployed."""
    before, problems_before = read_apps(git, base)
    after, problems = read_apps(git, head)
    if problems or not after or problems_before:
        return None  # the configuration's own check tells
    sections: list[str] = []
    failed = changed = 0
    with tempfile.TemporaryDirectory(prefix="ghapp-preview-") as folder:
        trees = {sha: Path(folder) / sha for sha in {base, head}}
        for sha, into in trees.items():
            git.checkout(sha, into)
        for name, file in sorted(after.items()):
            for environment in file.app.deploy.environments:
                known = before[name].app.environment(environment.name) if name in before else None
                old: tuple[Manifest, ...] = ()
                try:
                    new = _objects(file, environment, trees[head])
                    old = _objects(before[name], known, trees[base]) if known else ()
                except RenderError as e:
                    failed += 1
                    sections.append(f"{_heading(name, environment)}\n\n{refused(e.problems)}")
                    continue
                found = diff(old, new)
                if not found.empty:
                    changed += 1
                    sections.append(f"{_heading(name, environment)}\n\n{cluster_changes(found)}")
    return _check(sections, failed, changed)


def _objects(file: AppFile, environment: Environment, checkout: Path) -> tuple[Manifest, ...]:
    options = Options(
        environment=environment.name,
        app=file.app.app,
        namespace=environment.namespace,
        allow_plain_secrets=environment.allow_plain_secrets,
    )
    # The image is not built yet, and need not be: both sides name it as the source does.
    return render(environment.render, checkout / file.directory, {}, options).manifests


def _heading(app: str, environment: Environment) -> str:
    return f"### {escape(app)} → {escape(environment.name)}"


def _check(sections: list[str], failed: int, changed: int) -> Check:
    if failed:
        title = f"{failed} environment{'s' if failed > 1 else ''} cannot be rendered"
    elif changed:
        title = f"changes {changed} environment{'s' if changed > 1 else ''}, besides the image"
    else:
        title = "changes nothing but the image"
    conclusion: Conclusion = "failure" if failed else "success"
    return Check(names.CHECK_PREVIEW, title, f"Merging this: {title}.", "\n\n".join(sections), conclusion=conclusion)


def fetch(git: Git, number: int, base: str) -> tuple[str, str] | None:
    """Bring the pull request here: (base, merged head), or the head alone where GitHub cannot merge it."""
    into = f"refs/ghapp/pull/{number}"
    with git.lock():
        git.fetch(f"+refs/heads/{base}:refs/heads/{base}", prune=False)
        for kind in ("merge", "head"):
            try:
                git.fetch(f"+refs/pull/{number}/{kind}:{into}/{kind}", prune=False)
            except GitError:
                continue
            base_sha, head_sha = git.resolve(f"refs/heads/{base}"), git.resolve(f"{into}/{kind}")
            return (base_sha, head_sha) if base_sha and head_sha else None
    return None
