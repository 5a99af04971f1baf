"""Where the signer comes from: the settings' key, and the public keys believed besides it."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from ghapp.evidence.notes import Signer
from ghapp.settings import Settings, SettingsError


def signer(settings: Settings) -> Signer:
    """Who signs for this installation. Raises :class:`SettingsError` where no key is set (settings check its kind)."""
    if settings.signing_key is None:
        raise SettingsError(["GHAPP_SIGNING_KEY: is not set; make one with  openssl genpkey -algorithm ed25519"])
    key = load_pem_private_key(settings.signing_key.get_secret_value().encode(), password=None)
    others = [load_pem_public_key(pem.encode()) for pem in settings.trusted_keys]
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingsError(["GHAPP_SIGNING_KEY: is not an Ed25519 key"])
    return Signer(key, tuple(k for k in others if isinstance(k, Ed25519PublicKey)))
