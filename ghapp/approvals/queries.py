"""The GraphQL that facts are gathered with. One query asks for all that fits; others go on where it stopped.

Fields that GitHub no longer fills (`pushedDate`) are not asked for. What GraphQL cannot tell — the old name of a
renamed file, workflow runs — is :mod:`gather`'s part.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

_PAGE: Final = "pageInfo { hasNextPage endCursor }"
_WHO: Final = "{ __typename login }"
_BLOB: Final = "{ ... on Blob { text isTruncated isBinary } }"

_COMMIT: Final = f"""
oid message committedViaWeb
author {{ user {_WHO} }}
committer {{ user {_WHO} }}
authors(first: 20) {{ totalCount nodes {{ user {_WHO} }} }}
parents(first: 20) {{ totalCount nodes {{ oid }} }}
signature {{ __typename isValid signer {_WHO} ... on GpgSignature {{ keyId }} }}
checkSuites(first: 5) {{ nodes {{ createdAt }} }}
status {{ contexts {{ createdAt }} }}
"""
_REVIEW: Final = f"""
author {_WHO} state body submittedAt lastEditedAt
commit {{ oid }}
onBehalfOf(first: 15) {{ nodes {{ combinedSlug }} }}
"""
_REVIEWER: Final = """
requestedReviewer {
  __typename
  ... on User { login } ... on Bot { login } ... on Mannequin { login }
  ... on Team { slug organization { login } }
}
"""
_CONTEXT: Final = """
__typename
... on CheckRun { name conclusion status startedAt databaseId checkSuite { app { databaseId } } }
... on StatusContext { context state createdAt }
"""

# What of a pull request comes in pages: the field, its arguments, its nodes.
_PAGED: Final = (
    ("comments", "", f"author {_WHO} body createdAt lastEditedAt"),
    ("reviews", "", _REVIEW),
    ("commits", "", f"commit {{ {_COMMIT} }}"),
    ("labels", "", "name"),
    ("files", "", "path changeType additions deletions"),
    ("reviewRequests", "", _REVIEWER),
    (
        "timelineItems",
        ", itemTypes: [REVIEW_REQUEST_REMOVED_EVENT]",
        f"... on ReviewRequestRemovedEvent {{ {_REVIEWER} }}",
    ),
    ("contexts", "", _CONTEXT),
)
CONNECTIONS: Final = tuple(name for name, _, _ in _PAGED if name != "contexts")
_COUNTED: Final = ("commits", "files")


def _pages(after: str, only: str = "") -> str:
    """The paged fields, or one of them, from the beginning or (``after``) from a cursor on."""
    parts = []
    for name, arguments, nodes in _PAGED:
        if only in ("", name):
            total = "totalCount" if name in _COUNTED else ""
            part = f"{name}(first: 100{after}{arguments}) {{ {total} {_PAGE} nodes {{ {nodes} }} }}"
            parts.append(f"statusCheckRollup {{ {part} }}" if name == "contexts" else part)
    return "\n".join(parts)


PULL: Final = f"""
query Pull($owner: String!, $name: String!, $number: Int!,
           $path: String!, $sharedName: String!, $sharedPath: String!) {{
  repository(owner: $owner, name: $name) {{
    nameWithOwner
    pullRequest(number: $number) {{
      number title body state isDraft isCrossRepository createdAt lastEditedAt
      author {_WHO}
      baseRefName baseRefOid headRefName headRefOid
      headRepositoryOwner {{ login }}
      baseRef {{ target {{ ... on Commit {{ file(path: $path) {{ object {_BLOB} }} }} }} }}
      {_pages("")}
    }}
  }}
  shared: repository(owner: $owner, name: $sharedName) {{
    nameWithOwner
    defaultBranchRef {{ name target {{ ... on Commit {{ file(path: $sharedPath) {{ object {_BLOB} }} }} }} }}
  }}
}}"""

REMOTE: Final = f"""
query Remote($owner: String!, $name: String!, $expression: String!) {{
  repository(owner: $owner, name: $name) {{
    nameWithOwner
    defaultBranchRef {{ name }}
    object(expression: $expression) {_BLOB}
  }}
}}"""


def rest_of(connection: str) -> str:
    """The pages of one connection after the first. Variables: owner, name, number, after."""
    return f"""
query Rest($owner: String!, $name: String!, $number: Int!, $after: String!) {{
  repository(owner: $owner, name: $name) {{
    pullRequest(number: $number) {{ {_pages(", after: $after", connection)} }}
  }}
}}"""


def people(teams: Iterable[str], organizations: Iterable[str], *, collaborators: bool) -> str:
    """Members of teams (``organisation/slug``) and organisations, and who may do what in the repository.

    Aliases are ``t0``…, ``o0``… in the order given; variables: owner, name.
    """
    parts = []
    for i, (organization, _, slug) in enumerate(team.partition("/") for team in teams):
        members = f"members(first: 100, membership: ALL) {{ {_PAGE} nodes {{ login }} }}"
        team = f"team(slug: {json.dumps(slug)}) {{ {members} }}"
        parts.append(f"t{i}: organization(login: {json.dumps(organization)}) {{ {team} }}")
    for i, name in enumerate(organizations):
        members = f"membersWithRole(first: 100) {{ {_PAGE} nodes {{ login }} }}"
        parts.append(f"o{i}: organization(login: {json.dumps(name)}) {{ {members} }}")
    if not collaborators:
        return f"query People {{ {' '.join(parts)} }}"
    listed = f"collaborators(first: 100, affiliation: ALL) {{ {_PAGE} edges {{ permission node {{ login }} }} }}"
    parts.append(f"repository(owner: $owner, name: $name) {{ {listed} }}")
    return f"query People($owner: String!, $name: String!) {{ {' '.join(parts)} }}"


def permissions(logins: Iterable[str]) -> str:
    """What each of ``logins`` may do in the repository, as ``p0``…; variables: owner, name."""
    parts = [
        f"p{i}: collaborators(login: {json.dumps(login)}, first: 1, affiliation: ALL) "
        "{ edges { permission node { login } } }"
        for i, login in enumerate(logins)
    ]
    return f"""
query Permissions($owner: String!, $name: String!) {{
  repository(owner: $owner, name: $name) {{ {" ".join(parts)} }}
}}"""
