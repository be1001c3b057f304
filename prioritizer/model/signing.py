"""The keys that models are signed with (Ed25519): made, read, spelled."""

import base64
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from models.errors import SettingsInvalid

PUBLIC_KEY_BYTES: Final = 32


def new_key() -> tuple[bytes, str]:
    """Draw a signing key: the private one as PEM (PKCS 8, not encrypted), the public in base64."""
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem, spelled(key.public_key())


def load_key(pem: bytes) -> Ed25519PrivateKey:
    """Read a private key; raises `SettingsInvalid` when it is none, or of another kind."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise SettingsInvalid("The signing key is no unencrypted private key in PEM.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingsInvalid("The signing key must be an Ed25519 key.")
    return key


def public_key(text: str) -> bytes:
    """Read a public key in base64 as `new_key` gives it; raises `SettingsInvalid`."""
    try:
        raw = base64.b64decode(text.strip(), validate=True)
    except ValueError as error:
        raise SettingsInvalid("A trusted key is not in base64.") from error
    if len(raw) != PUBLIC_KEY_BYTES:
        raise SettingsInvalid("A trusted key must have 32 bytes.")
    return raw


def spelled(key: Ed25519PublicKey) -> str:
    """Return a public key in base64."""
    return base64.b64encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
