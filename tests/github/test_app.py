"""Signing in: one token for one repository, no more than is needed, never where it does not belong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from ghapp.github import errors
from ghapp.github.app import GitHubApp
from ghapp.github.directory import Place
from ghapp.github.tokens import READ_CODE
from ghapp.settings import Settings

from .conftest import KEY, PEM, Answer, Moment, Scripted

MINT = "POST /app/installations/9/access_tokens"


def test_a_token_is_for_one_repository_with_what_is_needed(app: GitHubApp, github: Scripted) -> None:
    client = app.for_repository("acme/web", {"checks": "write"})
    client.get("")
    assert github.last(MINT).body == {"permissions": {"checks": "write"}, "repository_ids": [7]}
    assert github.last("GET /repos/acme/web").headers["authorization"] == f"token ghs_{github.minted}"


def test_the_app_signs_with_its_own_key(app: GitHubApp, github: Scripted) -> None:
    github.on("GET /app", Answer({"slug": "ghapp-test"}))
    assert app.login == "ghapp-test[bot]"
    scheme, _, token = github.last("GET /app").headers["authorization"].partition(" ")
    claims = jwt.decode(token, KEY.public_key(), algorithms=["RS256"])
    assert (scheme, claims["iss"]) == ("Bearer", "1")
    assert claims["exp"] - claims["iat"] <= 600


def test_a_token_is_kept_until_shortly_before_it_expires(app: GitHubApp, github: Scripted, moment: Moment) -> None:
    github.on(MINT, lambda _: Answer({"token": "t", "expires_at": "2027-01-15T09:00:00Z"}, 201))
    client = app.for_repository("acme/web", READ_CODE)  # the clock stands at 08:00
    for _ in range(3):
        client.get("")
    assert github.count(MINT) == 2  # one to find the repository, one to read its code
    moment.now += 54 * 60
    client.get("")
    assert github.count(MINT) == 2
    moment.now += 90
    client.get("")
    assert github.count(MINT) == 3


def test_a_token_that_was_revoked_is_replaced_once(app: GitHubApp, github: Scripted) -> None:
    client = app.for_repository("acme/web")
    github.on("GET /repos/acme/web", Answer({"message": "Bad credentials"}, 401), Answer({"id": 7}))
    assert client.get("") == {"id": 7}
    github.on("GET /repos/acme/web", Answer({"message": "Bad credentials"}, 401))
    with pytest.raises(errors.GitHubError, match="no longer accepts the installation token"):
        client.get("")


def test_what_was_not_granted_is_left_out_and_named_by_who_needs_it(app: GitHubApp, github: Scripted) -> None:
    def mint(asked: object) -> Answer:
        wanted = asked.body["permissions"]  # type: ignore[attr-defined]
        if "members" in wanted or wanted.get("checks") == "write":
            return Answer({"message": "The permissions requested are not granted to this installation."}, 422)
        return Answer({"token": "t", "expires_at": "2099-01-01T00:00:00Z"}, 201)

    github.on(MINT, mint)
    github.on("GET /app/installations/9", Answer({"id": 9, "permissions": {"checks": "read", "metadata": "read"}}))
    refused = Answer(
        {"message": "Resource not accessible by integration"}, 403, {"X-Accepted-GitHub-Permissions": "checks=write"}
    )
    github.on("POST /repos/acme/web/check-runs", refused)
    client = app.for_repository("acme/web", {"checks": "write", "members": "read", "metadata": "read"})
    assert client.get("")["id"] == 7
    assert github.last(MINT).body["permissions"] == {"checks": "read", "metadata": "read"}
    with pytest.raises(errors.MissingPermission, match="lacks the permission checks: write"):
        client.post("check-runs", {})


def test_git_signs_in_by_its_environment_for_that_host_alone(app: GitHubApp, github: Scripted) -> None:
    environment = app.for_repository("acme/web", READ_CODE).git_credentials()
    host = github.url.removesuffix("/api/v3")
    assert environment["GIT_CONFIG_KEY_0"] == f"http.{host}/.extraHeader"
    assert environment["GIT_CONFIG_VALUE_0"].startswith("Authorization: Basic ")
    assert "ghs_" not in app.for_repository("acme/web").clone_url


def test_a_token_never_shows(app: GitHubApp) -> None:
    token = app.for_repository("acme/web").minted()
    assert token.value.startswith("ghs_")
    assert token.value not in repr(token)
    assert token.value not in repr(vars(app))


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (Answer({"message": "Not Found"}, 404), "not installed"),
        (Answer({"message": "This installation has been suspended"}, 403), "suspended"),
    ],
)
def test_a_removed_or_suspended_installation_is_its_own_error(
    app: GitHubApp, github: Scripted, answer: Answer, sentence: str
) -> None:
    github.on(MINT, answer)
    app.directory.remember(Place(7, "acme/web", 9))
    with pytest.raises(errors.NotInstalled, match=sentence):
        app.for_repository(7).get("")


def test_a_repository_is_found_by_its_id_whatever_it_is_called(app: GitHubApp, github: Scripted) -> None:
    github.on("GET /app/installations", Answer([{"id": 8, "suspended_at": "2026-01-01T00:00:00Z"}, {"id": 9}]))
    github.on(
        "GET /installation/repositories",
        Answer({"total_count": 1, "repositories": [{"id": 7, "full_name": "acme/renamed"}]}),
    )
    assert app.for_repository(7).full_name == "acme/renamed"
    asked = len(github.asked)
    assert app.installation_for(7) == 9
    assert len(github.asked) == asked
    with pytest.raises(errors.NotInstalled, match="with id 8"):
        app.for_repository(8)


def test_a_repository_without_the_app(app: GitHubApp, github: Scripted) -> None:
    with pytest.raises(errors.NotInstalled, match="not installed on acme/other"):
        app.for_repository("acme/other")


def test_a_key_that_github_does_not_know(app: GitHubApp, github: Scripted) -> None:
    github.on("GET /app/installations", Answer({"message": "A JSON web token could not be decoded"}, 401))
    with pytest.raises(errors.GitHubError, match="check GHAPP_APP_ID, GHAPP_PRIVATE_KEY and this machine's clock"):
        app.installations()


def test_without_id_or_key_a_sentence_says_what_to_set(settings_for: Callable[..., Settings]) -> None:
    settings = settings_for("http://127.0.0.1:9").model_copy(update={"private_key": None})
    with pytest.raises(errors.GitHubError, match="GHAPP_PRIVATE_KEY or GHAPP_PRIVATE_KEY_FILE is not set"):
        GitHubApp(settings).installations()


def test_a_certificate_of_ones_own_authority(
    github: Scripted, settings_for: Callable[..., Settings], tmp_path: Path
) -> None:
    certificate, key = _self_signed(tmp_path)
    github.serve_tls(certificate, key)
    github.on("GET /app", Answer({"slug": "ghapp-test"}))
    trusting = settings_for(github.url, GHAPP_GITHUB_CA_BUNDLE=str(certificate))
    assert GitHubApp(trusting).slug == "ghapp-test"
    with pytest.raises(errors.GitHubAway, match=r"cannot be reached: .*certificate"):
        GitHubApp(settings_for(github.url)).slug  # noqa: B018 - asking is the point


def _self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and its key, as PEM files."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(KEY, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_text(PEM)
    return folder / "cert.pem", folder / "key.pem"
