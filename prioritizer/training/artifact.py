"""Packs a trained model into signed bytes that `prioritizer.model.artifact` reads."""

import hashlib
import platform
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import numpy as np
import sklearn
import skops
import skops.io
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from prioritizer.model.artifact import Artifact, canonical, version_of
from prioritizer.model.signing import spelled
from prioritizer.training.train import Trained


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
    manifest = canonical(body | {"version": version_of(model, body)})
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
