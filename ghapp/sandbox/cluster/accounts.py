"""Tokens of service accounts: signed JWTs with an audience and an end, and the keys that others verify them with."""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from ghapp.sandbox.cluster.identity import User, service_account
from ghapp.sandbox.cluster.types import Object

ISSUER = "https://kubernetes.default.svc"
MIN_SECONDS = 600
_KEY_ID = "sandbox"


@dataclass(frozen=True, slots=True)
class Verified:
    """Who a token speaks for, and to whom."""

    user: User
    audiences: tuple[str, ...]
    uid: str


class Signer:
    """Issues and verifies tokens with a key made for this cluster's lifetime."""

    def __init__(self, issuer: str = ISSUER, clock: Callable[[], float] = time.time) -> None:
        self.issuer = issuer
        self._clock = clock
        self._key = ec.generate_private_key(ec.SECP256R1())

    def issue(self, namespace: str, name: str, uid: str, audiences: Sequence[str], seconds: int) -> tuple[str, float]:
        """A token and the moment of its end, in seconds since the epoch."""
        now = int(self._clock())
        end = now + max(seconds, MIN_SECONDS)
        claims = {
            "aud": list(audiences) or [self.issuer],
            "exp": end,
            "iat": now,
            "nbf": now,
            "iss": self.issuer,
            "jti": str(uuid.uuid4()),
            "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": name, "uid": uid}},
            "sub": f"system:serviceaccount:{namespace}:{name}",
        }
        head = {"alg": "ES256", "kid": _KEY_ID, "typ": "JWT"}
        signed = f"{_encoded(orjson.dumps(head))}.{_encoded(orjson.dumps(claims))}"
        r, s = utils.decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{_encoded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}", float(end)

    def verify(self, token: str) -> Verified | None:
        """Whom the token speaks for, or None where it is not ours, changed or past its end."""
        try:
            signed, _, signature = token.rpartition(".")
            raw = _decoded(signature)
            dss = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
            self._key.public_key().verify(dss, signed.encode(), ec.ECDSA(hashes.SHA256()))
            claims = orjson.loads(_decoded(signed.partition(".")[2]))
        except Exception:  # whatever is wrong with it, it is no token of ours
            return None
        if claims["exp"] <= self._clock():
            return None
        about = claims["kubernetes.io"]
        user = service_account(about["namespace"], about["serviceaccount"]["name"])
        return Verified(user, tuple(claims["aud"]), about["serviceaccount"]["uid"])

    def configuration(self, url: str) -> Object:
        """The OpenID discovery document."""
        return {
            "issuer": self.issuer,
            "jwks_uri": f"{url}/openid/v1/jwks",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        }

    def keys(self) -> Object:
        """The JSON web key set."""
        numbers = self._key.public_key().public_numbers()
        x, y = (_encoded(n.to_bytes(32, "big")) for n in (numbers.x, numbers.y))
        key = {"use": "sig", "kty": "EC", "kid": _KEY_ID, "crv": "P-256", "alg": "ES256", "x": x, "y": y}
        return {"keys": [key]}


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
