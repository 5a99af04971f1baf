"""The registry's refusals, in the shape and with the codes of the OCI distribution specification."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """A request that is refused: an HTTP status, the specification's code, and a sentence."""

    def __init__(self, status: int, code: str, message: str, detail: Any = None, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        error: dict[str, Any] = {"code": code, "message": message}
        if detail is not None:
            error["detail"] = detail
        self.body = {"errors": [error]}


def blob_unknown(digest: str) -> Refused:
    return Refused(404, "BLOB_UNKNOWN", "blob unknown to registry", {"digest": digest})


def upload_unknown() -> Refused:
    return Refused(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")


def digest_invalid(given: str, why: str = "provided digest did not match uploaded content") -> Refused:
    return Refused(400, "DIGEST_INVALID", why, {"digest": given})


def manifest_unknown(reference: str) -> Refused:
    return Refused(404, "MANIFEST_UNKNOWN", "manifest unknown", {"reference": reference})


def manifest_invalid(why: str) -> Refused:
    return Refused(400, "MANIFEST_INVALID", f"manifest invalid: {why}")


def manifest_blob_unknown(digest: str) -> Refused:
    return Refused(
        400, "MANIFEST_BLOB_UNKNOWN", "manifest references a manifest or blob unknown to registry", {"digest": digest}
    )


def name_unknown(name: str) -> Refused:
    return Refused(404, "NAME_UNKNOWN", "repository name not known to registry", {"name": name})


def unsupported(status: int = 405) -> Refused:
    return Refused(status, "UNSUPPORTED", "the operation is unsupported")


def unauthorized() -> Refused:
    return Refused(401, "UNAUTHORIZED", "authentication required", WWW_Authenticate='Basic realm="registry"')
