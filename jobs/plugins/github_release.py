"""``github-release``: a release on GitHub for the tag that is built, with notes and files."""

from __future__ import annotations

from urllib.parse import quote

from pydantic import Field

from ghapp.github.errors import GitHubError, NotFound
from jobs.pipeline.files import Outside, inside, matching, read_plain
from jobs.pipeline.result import Ended
from jobs.plugins.http import call
from jobs.plugins.interface import Inputs, Place, PluginError, passed


class GithubReleaseInputs(Inputs):
    tag: str = Field("", description="the tag; the one that is built if empty")
    title: str = Field("", description="the release's title; the tag if empty")
    notes: str = Field("", description="a file with the text; GitHub generates it if empty")
    files: tuple[str, ...] = Field((), description="globs of files to attach")
    draft: bool = Field(False, description="do not publish it yet")
    prerelease: bool = Field(False, description="mark it as not ready for production")


class GithubRelease:
    name = "github-release"
    version = "1.0.0"
    description = "A release on GitHub; made once, then brought up to date."
    inputs = GithubReleaseInputs

    def run(self, inputs: GithubReleaseInputs, at: Place) -> Ended:
        tag = inputs.tag or str(at.event.get("tag") or "")
        if not tag or not at.trusted:
            raise PluginError("there is no tag to make a release of: build tags (`on.push.tags`), or name one")
        body = {
            "tag_name": tag,
            "target_commitish": at.commit,
            "name": inputs.title or tag,
            "draft": inputs.draft,
            "prerelease": inputs.prerelease,
            **({"body": _notes(inputs, at)} if inputs.notes else {"generate_release_notes": True}),
        }
        try:
            try:
                present = at.github.get(f"releases/tags/{quote(tag, safe='')}")
                release = at.github.patch(
                    f"releases/{present['id']}", {k: v for k, v in body.items() if "generate" not in k}
                )
            except NotFound:
                release = at.github.post("releases", body)
        except GitHubError as e:
            raise PluginError(f"GitHub does not take the release: {e}") from None
        there = {asset["name"] for asset in release.get("assets") or ()}
        try:
            files = matching(at.workspace, inputs.files) if inputs.files else []
        except Outside as e:
            raise PluginError(str(e)) from None
        for path in files:
            name = path.rpartition("/")[2]
            if name not in there:
                self._attach(str(release["upload_url"]).partition("{")[0], name, at, path)
        return passed(outputs={"url": str(release.get("html_url", "")), "id": str(release["id"])})

    def _attach(self, url: str, name: str, at: Place, path: str) -> None:
        data = read_plain(at.workspace / path)
        if data is None:
            raise PluginError(f"{path} cannot be read")
        headers = {"Authorization": f"Bearer {at.github.token()}", "Content-Type": "application/octet-stream"}
        answer = call(at, "POST", f"{url}?name={quote(name, safe='')}", body=data, headers=headers, timeout=300)
        if not answer.ok:
            raise PluginError(f"GitHub did not take {name}: {answer.status}")


def _notes(inputs: GithubReleaseInputs, at: Place) -> str:
    try:
        data = read_plain(inside(at.workspace, f"{at.directory}/{inputs.notes}"), 1_000_000)
    except Outside as e:
        raise PluginError(str(e)) from None
    if data is None:
        raise PluginError(f"{inputs.notes} is not there")
    return data.decode("utf-8", "replace")


plugin = GithubRelease()
