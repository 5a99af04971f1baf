"""Refs, trees, blobs, commits and comparisons."""

from __future__ import annotations


def test_refs_objects_trees_and_blobs(world):
    sha = world.commit("main", {"README.md": "# Hi\n", "src/app.py": "1\n2\n", "logo.png": "\0png"})
    found = world.data(
        world.on_repository("""
          defaultBranchRef { name prefix target { oid ... on Commit { message history(first: 5) { totalCount } } } }
          ref(qualifiedName: "main") { id }
          none: ref(qualifiedName: "refs/heads/none") { id }
          tree: object(expression: "main:") { ... on Tree { entries { name type mode path } } }
          src: object(expression: "main:src") { ... on Tree {
            entries { path lineCount object { ... on Blob { text } } } } }
          blob: object(expression: "HEAD:README.md") { ... on Blob { text byteSize isBinary isTruncated } }
          logo: object(expression: "main:logo.png") { ... on Blob { text isBinary } }
          nothing: object(expression: "main:absent") { id }
          refs(refPrefix: "refs/heads/", first: 5) { nodes { name } }
        """)
    )["repository"]
    assert found["defaultBranchRef"] == {
        "name": "main",
        "prefix": "refs/heads/",
        "target": {"oid": sha, "message": "Change something", "history": {"totalCount": 1}},
    }
    assert found["ref"]["id"] and found["none"] is None and found["nothing"] is None
    assert found["tree"]["entries"] == [
        {"name": "README.md", "type": "blob", "mode": 33188, "path": "README.md"},
        {"name": "logo.png", "type": "blob", "mode": 33188, "path": "logo.png"},
        {"name": "src", "type": "tree", "mode": 16384, "path": "src"},
    ]
    assert found["src"]["entries"] == [{"path": "src/app.py", "lineCount": 2, "object": {"text": "1\n2\n"}}]
    assert found["blob"] == {"text": "# Hi\n", "byteSize": 5, "isBinary": False, "isTruncated": False}
    assert found["logo"] == {"text": None, "isBinary": True}
    assert found["refs"]["nodes"] == [{"name": "main"}]


def test_a_commit_in_full(world):
    pull = world.pull()
    world.commit(
        "feature",
        {"app.py": "print('ho')\n"},
        by=world.carol,
        message="Say ho\n\nBecause.\n\nCo-authored-by: Bob <bob@example.com>",
    )
    found = world.data(
        world.on_pull("""commits(last: 1) { nodes { commit {
          abbreviatedOid messageHeadline messageBody additions deletions changedFilesIfAvailable authoredDate pushedDate
          url tree { oid } file(path: "app.py") { path object { ... on Blob { text } } }
          author { name email date user { login } } authors(first: 5) { nodes { user { login } } }
          associatedPullRequests(first: 5) { nodes { number } }
        } } }""")
    )["repository"]["pullRequest"]["commits"]["nodes"][0]["commit"]
    assert found["url"] == f"http://forge.test/acme/guestbook/commit/{pull.head_sha}"
    assert found["tree"]["oid"] == world.guestbook.git.commit(pull.head_sha).tree
    del found["url"], found["tree"]
    assert found == {
        "abbreviatedOid": pull.head_sha[:7],
        "messageHeadline": "Say ho",
        "messageBody": "Because.\n\nCo-authored-by: Bob <bob@example.com>",
        "additions": 1,
        "deletions": 1,
        "changedFilesIfAvailable": 1,
        "authoredDate": "2026-01-05T09:04:00Z",
        "pushedDate": None,
        "file": {"path": "app.py", "object": {"text": "print('ho')\n"}},
        "author": {
            "name": "Carol",
            "email": "carol@example.com",
            "date": "2026-01-05T09:04:00Z",
            "user": {"login": "carol"},
        },
        "authors": {"nodes": [{"user": {"login": "carol"}}, {"user": {"login": "bob"}}]},
        "associatedPullRequests": {"nodes": [{"number": 1}]},
    }


def test_two_branches_compared(world):
    world.pull()
    world.commit("main", {"other": "x\n"})
    compare = """ref(qualifiedName: "main") { compare(headRef: "feature") {
        aheadBy behindBy status commits(first: 9) { totalCount } } }"""
    assert world.data(world.on_repository(compare))["repository"]["ref"]["compare"] == {
        "aheadBy": 1,
        "behindBy": 1,
        "status": "DIVERGED",
        "commits": {"totalCount": 1},
    }
