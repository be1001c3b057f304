"""The registry: versions of the model with their evaluation, and which one ranks."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from models import tables as t
from models.canary import CANARY_VIN
from models.errors import Conflict, NotThere
from models.sql import upsert

CHAMPION: Final = "champion"
CHALLENGER: Final = "challenger"
_PROMOTED: Final = "model.promoted"
_DRIFT: Final = "model.drift"


def aliases(connection: sa.Connection) -> dict[str, str]:
    """Return the version of each alias."""
    a = t.model_alias.c
    return {row.alias: row.version for row in connection.execute(sa.select(a.alias, a.version))}


def register(
    connection: sa.Connection,
    version: str,
    made_at: datetime,
    parts: tuple[bytes, bytes, bytes],
    evaluation: Mapping[str, Any] | None,
    report: str | None,
) -> None:
    """Keep a version: model, manifest and signature as they are. Twice is once."""
    model, manifest, signature = parts
    row = {
        "version": version,
        "made_at": made_at,
        "model": model,
        "manifest": manifest,
        "signature": signature,
        "evaluation": evaluation,
        "report": report,
    }
    upsert(connection, t.model_version, ("version",), [row])


def artifact(connection: sa.Connection, version: str) -> tuple[bytes, bytes, bytes] | None:
    """Return model, manifest and signature of a version; None where it is not there."""
    v = t.model_version.c
    query = sa.select(v.model, v.manifest, v.signature).where(v.version == version)
    row = connection.execute(query).one_or_none()
    return None if row is None else (row.model, row.manifest, row.signature)


def versions(connection: sa.Connection) -> list[dict[str, Any]]:
    """List all versions, the newest first, with their aliases."""
    aliases_by_version: dict[str, list[str]] = {}
    for alias, version in aliases(connection).items():
        aliases_by_version.setdefault(version, []).append(alias)
    v = t.model_version.c
    query = sa.select(v.version, v.made_at, v.evaluation, v.manifest)
    query = query.order_by(v.made_at.desc(), v.version)
    return [
        {**row, "aliases": sorted(aliases_by_version.get(row["version"], []))}
        for row in connection.execute(query).mappings()
    ]


def version_named(connection: sa.Connection, name: str) -> str:
    """Resolve an alias or the beginning of a version.

    Raises `NotThere` where there is none, `Conflict` where several begin so.
    """
    version = aliases(connection).get(name)
    if version is not None:
        return version
    v = t.model_version.c.version
    query = sa.select(v).where(v.startswith(name, autoescape=True)).order_by(v).limit(2)
    matches: list[str] = list(connection.execute(query).scalars())
    if not matches:
        raise NotThere(f"There is no model {name}.")
    if len(matches) > 1:
        raise Conflict(f"{name} is the beginning of several models: write more of it.")
    return matches[0]


def evaluated(
    connection: sa.Connection, version: str, evaluation: Mapping[str, Any], report: str
) -> None:
    """Keep the newest evaluation of a version."""
    v = t.model_version.c
    statement = sa.update(t.model_version).where(v.version == version)
    connection.execute(statement.values(evaluation=evaluation, report=report))


def report_of(connection: sa.Connection, version: str) -> str | None:
    """Return the report of a version's newest evaluation."""
    v = t.model_version.c
    return connection.execute(sa.select(v.report).where(v.version == version)).scalar()


def point(
    connection: sa.Connection,
    alias: str,
    version: str | None,
    at: datetime,
    actor: str,
    why: Mapping[str, Any],
) -> None:
    """Point an alias to a version, or to none; what it pointed to is kept, with the reason."""
    before = aliases(connection).get(alias)
    if version is None:
        connection.execute(sa.delete(t.model_alias).where(t.model_alias.c.alias == alias))
    else:
        row = {"alias": alias, "version": version, "since": at}
        upsert(connection, t.model_alias, ("alias",), [row])
    detail = {"alias": alias, "version": version, "before": before, **why}
    connection.execute(sa.insert(t.audit).values(at=at, actor=actor, act=_PROMOTED, detail=detail))


def history(connection: sa.Connection, alias: str = CHAMPION) -> list[dict[str, Any]]:
    """Return what an alias has pointed to, the newest first."""
    a = t.audit.c
    query = sa.select(a.at, a.actor, a.detail).where(a.act == _PROMOTED).order_by(a.audit_id.desc())
    rows = connection.execute(query).mappings()
    return [
        {"at": row["at"], "by": row["actor"], **row["detail"]}
        for row in rows
        if row["detail"]["alias"] == alias
    ]


def scored_by_both(
    connection: sa.Connection, champion: str, challenger: str
) -> list[tuple[float, float]]:
    """Return both probabilities of every case that both versions scored."""
    c = t.case.c
    query = sa.select(c.probability, c.challenger_probability).where(
        c.vin != CANARY_VIN,
        c.ranked_by == champion,
        c.challenger == challenger,
        c.probability.is_not(None),
        c.challenger_probability.is_not(None),
    )
    return [(row[0], row[1]) for row in connection.execute(query.order_by(c.case_id))]


def note_drift(connection: sa.Connection, at: datetime, measurement: Mapping[str, Any]) -> None:
    """Keep a measurement of drift, for the metrics."""
    row = {"at": at, "actor": "pacc model drift", "act": _DRIFT, "detail": dict(measurement)}
    connection.execute(sa.insert(t.audit).values(row))


def newest_drift(connection: sa.Connection) -> Mapping[str, Any] | None:
    """Return the newest measurement of drift."""
    a = t.audit.c
    query = sa.select(a.detail).where(a.act == _DRIFT).order_by(a.audit_id.desc()).limit(1)
    measurement: Mapping[str, Any] | None = connection.execute(query).scalar()
    return measurement
