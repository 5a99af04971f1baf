"""From a release to the head commit of its promotion: rendered, signed, on top of the environment branch, pushed.

The same release on the same environment head gives the same commit, so a repeated proposal changes nothing, and two
workers at once propose the same thing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ghapp import names
from ghapp.config import Environment
from ghapp.evidence import deployment
from ghapp.evidence.deployment import Deployment, deployment_of
from ghapp.evidence.release import Release
from ghapp.git import Commit, Git, GitError, Person, tree_id
from ghapp.render import Manifest, Options, RenderError, Rendering, render
from ghapp.render.diff import Diff, diff
from ghapp.render.manifests import read_manifests
from jobs.promotion.view import Placed, View, read_apps

WRITER = Person("ghapp", "ghapp@users.noreply.github.com")
_FIRST = """The desired state of the environment {environment}.

ghapp writes this branch by promotion pull requests; an agent in the cluster pulls it. Its log is the history of what
was deployed, by whom it was approved, and why it was allowed.
"""


@dataclass(frozen=True)
class Proposal:
    """What a promotion would put on the environment branch.

    ``head`` is the commit to push on the promotion's branch and ``base`` the environment's head it stands on;
    ``edits`` are commits that changed the app's folder by hand and are undone.
    """

    release: Release
    deployment: Deployment
    head: str
    base: str
    diff: Diff
    before: tuple[Manifest, ...]
    after: tuple[Manifest, ...]
    edits: tuple[Commit, ...] = ()
    unused_images: tuple[str, ...] = ()

    @property
    def no_op(self) -> bool:
        """Whether the cluster would not notice."""
        return self.diff.empty and not self.edits and bool(self.before)


def environment_head(view: View, environment: str) -> str:
    """The environment branch's head; the branch is made, with nothing deployed, where there is none yet."""
    branch = names.environment_branch(environment)
    if head := view.heads.get(branch):
        return head
    # Every environment's first commit is made of the repository's own first release of it: no clock, no chance.
    first = view.git.commits(view.heads[view.default_branch], limit=1)[0]
    files = {"README.md": f"# {branch}\n\n{_FIRST.format(environment=environment)}".encode()}
    new = view.git.write(
        parent=None, message=f"Begin the environment {environment}\n", author=WRITER, at=first.at, files=files
    )
    view.git.push(new, f"refs/heads/{branch}", old=None)
    return new


def propose(view: View, environment: Environment, release: Release, kind: str, placed: Placed | None) -> Proposal:
    """Render ``release`` for ``environment`` and make the commit; nothing is pushed but a missing environment branch.

    Raises :class:`~ghapp.render.RenderError` with every reason why it cannot be deployed.
    """
    base = environment_head(view, environment.name)
    rendering = rendered(view.git, release, environment)
    record = deployment_of(release, environment.name, tree_id(rendering.files), kind)
    files = {f"{release.app}/{path}": content for path, content in rendering.files.items()}
    files[names.deployed_file(release.app)] = deployment.write(record, release, view.signer)
    head = view.git.write(
        parent=base,
        message=f"{release.app}: {release.name} → {environment.name}\n",
        author=WRITER,
        at=release.at,
        files=files,
        remove=[p for p in (release.app, names.deployed_file(release.app)) if view.git.object_id(base, p)],
    )
    before = present(view.git, base, release.app)
    return Proposal(
        release=release,
        deployment=record,
        head=head,
        base=base,
        diff=diff(before, rendering.manifests),
        before=before,
        after=rendering.manifests,
        edits=edits_by_hand(view, base, release.app, placed),
        unused_images=rendering.unused_images,
    )


def rendered(git: Git, release: Release, environment: Environment) -> Rendering:
    """The release as its own commit renders it for an environment. Raises :class:`RenderError`."""
    apps, _ = read_apps(git, release.commit)
    file = apps.get(release.app)
    # How to render belongs to the source; an environment that is newer than the release renders as it does today.
    own = file.app.environment(environment.name) if file else None
    how = (own or environment).render
    options = Options(
        environment=environment.name,
        app=release.app,
        namespace=environment.namespace,
        allow_plain_secrets=environment.allow_plain_secrets,
    )
    with tempfile.TemporaryDirectory(prefix="ghapp-render-") as folder:
        checkout = Path(folder) / "source"
        try:
            git.checkout(release.commit, checkout)
        except GitError as e:
            raise RenderError([f"the source commit {release.commit[:7]} cannot be checked out: {e}"]) from None
        return render(how, checkout / file.directory if file else checkout, release.images, options)


def present(git: Git, commit: str, app: str) -> tuple[Manifest, ...]:
    """The objects of ``<app>/`` at a commit; files that are not manifests (a hand edit, say) count as none."""
    files = git.files(commit, app)
    contents = git.read_all(list(files.values()))
    manifests: list[Manifest] = []
    for path, content in zip(files, contents, strict=True):
        if path.endswith((".yaml", ".yml", ".json")):
            try:
                manifests += read_manifests(content, name=path)
            except ValueError:
                continue
    return tuple(manifests)


def intact(git: Git, head: str, placed: Placed) -> bool:
    """Whether the app's folder is still the one that was signed."""
    return git.object_id(head, placed.deployment.app) == placed.deployment.tree


def edits_by_hand(view: View, head: str, app: str, placed: Placed | None) -> tuple[Commit, ...]:
    """Commits since the last promotion that changed the app's folder on the environment branch."""
    if placed is None or intact(view.git, head, placed):
        return ()
    promoted = view.git.commits("--first-parent", head, "--", names.deployed_file(app), limit=1)
    return tuple(view.git.commits(f"{promoted[0].sha}..{head}", "--", app)) if promoted else ()


def push(view: View, proposal: Proposal, heads: Mapping[str, str]) -> bool:
    """Put the promotion's branch at the proposed head; returns whether it moved. Raises ``Moved`` to the loser."""
    branch = names.promotion_branch(proposal.deployment.environment, proposal.release.app)
    present_head = heads.get(branch)
    if present_head == proposal.head:
        return False
    view.git.push(proposal.head, f"refs/heads/{branch}", old=present_head)
    return True


def still_good(git: Git, proposal: Proposal, head: str) -> bool:
    """Whether a promotion's present head says the same, although other apps have moved the environment since.

    Its approvals are for this very head, so it is left alone: the folders are apart and the merge cannot conflict.
    """
    app = proposal.release.app
    same = all(git.object_id(head, p) == git.object_id(proposal.head, p) for p in (app, names.deployed_file(app)))
    base = git.merge_base(head, proposal.base)
    if not same or base is None:
        return False
    return all(git.object_id(base, p) == git.object_id(proposal.base, p) for p in (app, names.deployed_file(app)))
