"""How a model from elsewhere comes into the registry."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime

import sqlalchemy as sa

from pacc.learn.champion import checked
from prioritizer.model import registry
from prioritizer.training.evaluate import Evaluation
from prioritizer.training.report import report_html


def register(
    connection: sa.Connection, parts: tuple[bytes, bytes, bytes], trusted: Sequence[bytes]
) -> str:
    """Register a version whose signature holds, with the report of its manifest; return its name.

    Raises `ModelRefused` for one that must not rank.
    """
    model = checked(parts, trusted)
    manifest = model.manifest
    made_at = datetime.fromisoformat(manifest["made_at"])
    metrics = manifest["metrics"]
    judged = Evaluation(**{field.name: metrics[field.name] for field in fields(Evaluation)})
    report = report_html(manifest, judged)
    registry.register(connection, model.version, made_at, parts, metrics, report)
    return model.version
