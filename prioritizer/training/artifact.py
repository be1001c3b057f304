"""A trained model as signed bytes, and back again with every doubt resolved against it."""

import base64
import hashlib
import json
import platform
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import sklearn
import skops
import skops.io
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from models.errors import ModelRefused
from models.words import ModelRefusal
from prioritizer.model.model import Model
from prioritizer.model.signing import spelled
from prioritizer.training.train import Trained

# What a calibrated tree model holds beyond the types that skops itself trusts. Anything else is
# refused unread. IsotonicRegression is among skops' own.
ALLOWED_TYPES: Final = frozenset(
    {
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    }
)


@dataclass(frozen=True, slots=True)
class Artifact:
    """What is stored and moved: the model (skops), its manifest (JSON) and the signature of it."""

    model: bytes
    manifest: bytes
    signature: bytes


def pack(
    trained: Trained,
    metrics: Mapping[str, Any],
    *,
    sign: Ed25519PrivateKey,
    made_at: datetime,
    revision: str,
) -> Artifact:
    """Make the artifact; the signature covers the manifest, and that the model's SHA-256.

    The version is the first 12 hexadecimal digits of the SHA-256 of model and manifest body.
    `metrics` must be JSON without NaN.
    """
    model = skops.io.dumps(trained.model, compression=zipfile.ZIP_DEFLATED)
    body = _body(trained, metrics) | {
        "model_sha256": hashlib.sha256(model).hexdigest(),
        "made_at": made_at.astimezone(UTC).isoformat(),
        "revision": revision,
        "signed_by": spelled(sign.public_key()),
    }
    manifest = _canonical(body | {"version": _version(model, body)})
    return Artifact(model, manifest, sign.sign(manifest))


def _body(trained: Trained, metrics: Mapping[str, Any]) -> dict[str, Any]:
    choice = asdict(trained.choice)
    return {
        "format": 1,
        "purpose": "probability that a vehicle is immobilised within 24 hours",
        "feature_version": trained.feature_version,
        "names": list(trained.names),
        "data_sha256": trained.fingerprint,
        "facts": dict(trained.facts),
        "parameters": choice.pop("parameters"),
        "calibration": choice.pop("calibration"),
        "chosen_by": choice,
        "quantiles": list(trained.quantiles),
        "reference": dict(trained.reference),
        "neutral": dict(trained.neutral),
        "metrics": dict(metrics),
        "libraries": _libraries(),
    }


def _libraries() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "scikit-learn": sklearn.__version__,
        "skops": skops.__version__,
        "numpy": np.__version__,
    }


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
        found = json.loads(manifest)
    except ValueError as error:
        raise _broken("its manifest is no JSON") from error
    if not isinstance(found, dict):
        raise _broken("its manifest is no JSON object")
    return found


def _require_unaltered(model: bytes, manifest: Mapping[str, Any]) -> None:
    body = {name: value for name, value in manifest.items() if name != "version"}
    is_same = hashlib.sha256(model).hexdigest() == manifest["model_sha256"]
    if not is_same or manifest["version"] != _version(model, body):
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
    if made_by.split(".")[:2] != sklearn.__version__.split(".")[:2]:
        raise ModelRefused(
            ModelRefusal.LIBRARY,
            f"The model was made by scikit-learn {made_by}, installed is {sklearn.__version__}: "
            "train it again.",
        )


def _load(model: bytes, manifest: Mapping[str, Any]) -> Model:
    try:
        beyond = sorted(set(skops.io.get_untrusted_types(data=model)) - ALLOWED_TYPES)
        if not beyond:
            return Model(skops.io.loads(model, trusted=sorted(ALLOWED_TYPES)), manifest)
    # Whatever a broken file makes the libraries raise: ranking goes on with rules alone.
    except Exception as error:
        raise _broken(f"it cannot be loaded ({type(error).__name__}: {error})") from error
    raise _broken(f"it holds types that are not allowed: {', '.join(beyond)}")


def _broken(what: str) -> ModelRefused:
    return ModelRefused(ModelRefusal.BROKEN, f"The model cannot be used: {what}.")


def _version(model: bytes, body: Mapping[str, Any]) -> str:
    return hashlib.sha256(model + _canonical(body)).hexdigest()[:12]


def _canonical(document: Mapping[str, Any]) -> bytes:
    return json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()
