"""A trained model as signed bytes, read back with every doubt resolved against it."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from models.errors import ModelRefused
from models.words import ModelRefusal
from prioritizer.model.container import ForeignTypes, read_arrays
from prioritizer.model.model import Model

# The layout of trees that is read, where no scikit-learn is installed to compare with.
LAYOUT: Final = "1.9"


@dataclass(frozen=True, slots=True)
class Artifact:
    """What is stored and moved: the model (skops), its manifest (JSON) and the signature of it."""

    model: bytes
    manifest: bytes
    signature: bytes


def unpack(
    artifact: Artifact,
    *,
    trusted: Sequence[bytes],
    feature_version: str,
    names: Sequence[str],
) -> Model:
    """Check everything, then load; raises `ModelRefused` with the reason.

    `trusted` are raw public keys (32 bytes each, `signing.public_key` reads them). The layout of
    trees inside scikit-learn is not stable between minor versions, so a model made by another
    major.minor, newer or older, is refused: train it again. Nothing of the model's bytes is
    looked at before signature and SHA-256 hold.
    """
    if not artifact.model or not artifact.manifest:
        raise ModelRefused(ModelRefusal.MISSING, "The model or its manifest is not there.")
    _require_signature(artifact, trusted)
    manifest = _read(artifact.manifest)
    try:
        _require_unaltered(artifact.model, manifest)
        _require_features(manifest, feature_version, names)
        _require_library(manifest["libraries"]["scikit-learn"])
        return _load(artifact.model, manifest)
    except (KeyError, TypeError, AttributeError) as error:
        raise _broken(f"its manifest lacks {error}") from error


def _require_signature(artifact: Artifact, trusted: Sequence[bytes]) -> None:
    if any(_is_signed(artifact, key) for key in trusted):
        return
    if artifact.signature and _claims(artifact.manifest, trusted):
        raise ModelRefused(ModelRefusal.ALTERED, "The model's manifest or signature was altered.")
    raise ModelRefused(
        ModelRefusal.UNSIGNED, "The model is not signed by anyone whose key is trusted here."
    )


def _is_signed(artifact: Artifact, key: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(artifact.signature, artifact.manifest)
    except InvalidSignature:
        return False
    return True


def _claims(manifest: bytes, trusted: Sequence[bytes]) -> bool:
    return any(base64.b64encode(key) in manifest for key in trusted)


def _read(manifest: bytes) -> dict[str, Any]:
    try:
        document = json.loads(manifest)
    except ValueError as error:
        raise _broken("its manifest is no JSON") from error
    if not isinstance(document, dict):
        raise _broken("its manifest is no JSON object")
    return document


def _require_unaltered(model: bytes, manifest: Mapping[str, Any]) -> None:
    body = {name: value for name, value in manifest.items() if name != "version"}
    is_same = hashlib.sha256(model).hexdigest() == manifest["model_sha256"]
    if not is_same or manifest["version"] != version_of(model, body):
        raise ModelRefused(ModelRefusal.ALTERED, "The model is not the one that was signed.")


def _require_features(
    manifest: Mapping[str, Any], feature_version: str, names: Sequence[str]
) -> None:
    if manifest["feature_version"] != feature_version or manifest["names"] != list(names):
        raise ModelRefused(
            ModelRefusal.FEATURE_VERSION,
            f"The model was trained on features of version {manifest['feature_version']}, this "
            f"program computes {feature_version}: train it again.",
        )


def _require_library(made_by: str) -> None:
    installed = _installed()
    if made_by.split(".")[:2] != (installed or LAYOUT).split(".")[:2]:
        raise ModelRefused(
            ModelRefusal.LIBRARY,
            f"The model was made by scikit-learn {made_by}, installed is {installed or 'none'}: "
            "train it again.",
        )


def _installed() -> str | None:
    """Return the version of scikit-learn beside this program; it is not imported."""
    try:
        return installed_version("scikit-learn")
    except PackageNotFoundError:
        return None


def _load(model: bytes, manifest: Mapping[str, Any]) -> Model:
    try:
        return Model(read_arrays(model, len(manifest["names"])), manifest)
    except ForeignTypes as error:
        raise _broken(str(error)) from error
    # Whatever a broken file makes the libraries raise: ranking goes on with rules alone.
    except Exception as error:
        raise _broken(f"it cannot be loaded ({type(error).__name__}: {error})") from error


def _broken(what: str) -> ModelRefused:
    return ModelRefused(ModelRefusal.BROKEN, f"The model cannot be used: {what}.")


def version_of(model: bytes, body: Mapping[str, Any]) -> str:
    """Return the name of a model: 12 hexadecimal digits of the SHA-256 of it and its manifest."""
    return hashlib.sha256(model + canonical(body)).hexdigest()[:12]


def canonical(document: Mapping[str, Any]) -> bytes:
    """Return the one spelling of a document in JSON that is hashed and signed."""
    return json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()
