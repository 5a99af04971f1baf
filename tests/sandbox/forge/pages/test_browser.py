"""A person with a real browser plays the approver; nothing on the pages needs JavaScript or leaves the forge."""

from __future__ import annotations

from ghapp.sandbox.forge.operations import issues


def test_the_approver_reads_the_pull_request_and_approves_it_by_a_click(scene, browser):
    scene.check("ghapp / approval", status="in_progress", output={"title": "Waiting for one approval", "summary": "…"})
    browser.open(scene.forge.url)
    browser.click("a[href='/acme/guestbook']")
    browser.click("a[href='/acme/guestbook/pull/1']")
    assert "Promote v2 to prod #1" in browser.text("h1")
    assert "Waiting for one approval" in browser.text("#merge")
    browser.click("nav.tabs a[href$='/files']")
    assert "<b>bold</b>" in browser.text(".diff")
    browser.click("nav.tabs a[href$='/pull/1']")
    browser.click("form:has(textarea) select[name=as] option[value=carol]")
    browser.type("textarea", "Looks right to me.")
    browser.click("button[value=approve]")
    browser.until("main", "carol approved")

    assert browser.url == f"{scene.forge.url}/acme/guestbook/pull/1"
    review = scene.pull.reviews[0]
    assert (review.user.login, review.state, review.body) == ("carol", "APPROVED", "Looks right to me.")
    assert review.commit_id == scene.pull.head_sha
    assert "carol approved" in browser.text()
    assert "acting as carol" in browser.text(".top")


def test_a_writer_merges_by_a_click_and_sees_it_merged(scene, browser):
    browser.open(f"{scene.forge.url}/acme/guestbook/pull/1")
    browser.click("form:has(textarea) select[name=as] option[value=bob]")
    browser.click("select[name=method] option[value=squash]")
    browser.click("button[value=merge]")
    browser.until("main", "bob merged this")
    assert scene.pull.merged and scene.pull.merged_by.login == "bob"
    assert browser.text(".badge.solid") == "merged"
    assert "bob merged this" in browser.text()


def test_what_people_write_runs_nothing(scene, browser):
    attacks = [
        "<script>document.title='owned'</script>",
        "<img src=x onerror=\"document.title='owned'\">",
        "[x](javascript:document.title='owned')",
        "<svg onload=\"document.title='owned'\">",
        "<a href=\"jav&#x09;ascript:document.title='owned'\">x</a>",
        "<details ontoggle=\"document.title='owned'\" open><summary>x</summary></details>",
        "<style>body{display:none}</style>",
        "</div></section></main><form action='https://evil.example'><button>Approve</button></form>",
    ]
    with scene.state.lock:
        for attack in attacks:
            issues.add_comment(scene.state, scene.pull, scene.carol, attack)
        scene.pull.title = "<script>document.title='owned'</script>"
    scene.check(
        "<img src=x onerror=\"document.title='owned'\">",
        conclusion="success",
        output={"title": attacks[0], "summary": attacks[1]},
    )
    for page in ("/acme/guestbook/pull/1", "/acme/guestbook/pull/1/checks", "/acme/guestbook"):
        browser.open(scene.forge.url + page)
        assert browser.run("return document.title") != "owned"
        assert (
            browser.run("return document.querySelectorAll('main script, main svg, main [onerror], main style').length")
            == 0
        )
        assert browser.run("return [...document.forms].every(f => new URL(f.action).origin === location.origin)")
        assert browser.run("return [...document.links].every(a => /^https?:$/.test(new URL(a.href).protocol))")
