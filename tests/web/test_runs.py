"""The run's page: whole logs, live, artifacts — and nothing for those who may not read them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient

from ghapp.links import run_key
from ghapp.settings import load
from ghapp.store import Store, store
from ghapp.web import create_app
from jobs.pipeline import record
from jobs.pipeline.artifacts import Kept
from jobs.pipeline.order import Order
from jobs.pipeline.result import Ended, Outcome, StageResult, StepResult
from jobs.pipeline.triggers import Occasion
from policies.finding import Finding, FindingKind, Severity

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ORDER = Order(7, "acme/web", "a" * 40, "web", 1, ".ghapp.yml", "a" * 40, Occasion("push", branch="<b>main"))
HOSTILE = "<script>alert(1)</script> \x1b[31mred\x1b[0m"


class Site:
    def __init__(self, folder: Path, redis_url: str) -> None:
        key = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        environ = {
            "GHAPP_DATA_DIR": str(folder),
            "GHAPP_REDIS_URL": redis_url,
            "GHAPP_SIGNING_KEY": key.decode(),
            "GHAPP_GITHUB_API_URL": "http://127.0.0.1:9/api/v3",
        }
        self.settings = load(environ)
        self.store: Store = store(self.settings.store)
        self.client: FlaskClient = create_app(self.settings).test_client()
        self.key = run_key(self.settings, ORDER.run)

    def record(self, *, running: bool = False, artifacts: tuple[Kept, ...] = ()) -> None:
        self.store.append(f"runs/{ORDER.run}/before-0.log", f"{HOSTILE}\nline two\n".encode())
        finding = Finding("R1", FindingKind.CODE, Severity.HIGH, HOSTILE, ("lint",), file="a.py", link="")
        ended = Ended(Outcome.FAILURE, HOSTILE, findings=[finding])
        step = StepResult(HOSTILE, "", ended, log=f"runs/{ORDER.run}/before-0.log")
        now = {"stage": "after", "step": "next", "log": f"runs/{ORDER.run}/after-0.log"} if running else None
        record.write(
            self.store, ORDER, stages=[StageResult("before", (step,))], running=now, artifacts=artifacts,
            started_at=NOW, now=NOW,
        )  # fmt: skip

    def get(self, path: str = "", **query: str) -> tuple[int, str]:
        answer = self.client.get(f"/runs/{ORDER.run}{path}", query_string={"key": self.key, **query})
        return answer.status_code, answer.get_data(as_text=True)


@pytest.fixture
def site(tmp_path: Path, redis_url: str) -> Site:
    return Site(tmp_path, redis_url)


def test_a_page_shows_steps_logs_and_findings_as_text(site: Site) -> None:
    site.record()
    status, text = site.get()
    assert status == 200
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; red" in text
    assert "R1" in text
    assert "<b>main" not in text


def test_the_whole_log_is_plain_text_and_can_be_followed(site: Site) -> None:
    site.record()
    answer = site.client.get(f"/runs/{ORDER.run}/logs/before-0?key={site.key}")
    assert answer.data.decode() == f"{HOSTILE}\nline two\n"
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    size = int(answer.headers["X-Ghapp-Size"])
    assert site.get("/logs/before-0", **{"from": str(size - 9)})[1] == "line two\n"
    assert site.get("/logs/before-0", **{"from": "99999"})[1] == ""


def test_a_step_that_runs_now_is_shown(site: Site) -> None:
    site.record(running=True)
    site.store.append(f"runs/{ORDER.run}/after-0.log", b"just now\n")
    assert "just now" in site.get()[1]


def test_artifacts_are_downloads_never_pages(site: Site) -> None:
    key = f"runs/{ORDER.run}/artifacts/0"
    site.store.put(key, b"<html>")
    site.record(artifacts=(Kept(key, "report", 'out/re"p\r\nort.html', 6, None),))
    answer = site.client.get(f"/{key}?key={site.key}")
    assert (answer.status_code, answer.data) == (200, b"<html>")
    assert answer.content_type == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''re%22p%0D%0Aort.html"
    assert site.get("/artifacts/1")[0] == 404


@pytest.mark.parametrize("path", ["", "/record", "/logs/before-0", "/artifacts/0"])
@pytest.mark.parametrize("key", ["", "0" * 40, "other"])
def test_without_the_right_key_there_is_no_such_run(site: Site, path: str, key: str) -> None:
    site.record()
    key = run_key(site.settings, "7-aaaaaaaaaaaa-web-2") if key == "other" else key
    assert site.get(path, key=key)[0] == 404


@pytest.mark.parametrize("name", ["..%2f..%2fsecret", "%2e%2e", "before-0.log", "artifacts%2f0", "before-9"])
def test_no_name_leads_out_of_the_run(site: Site, name: str) -> None:
    site.record()
    assert site.get(f"/logs/{name}")[0] == 404


def test_a_run_that_is_gone_says_so(site: Site) -> None:
    status, text = site.get()
    assert status == 404
    assert "has not begun yet, or it is older" in text
