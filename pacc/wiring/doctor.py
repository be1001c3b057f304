"""The checks of `pacc doctor`: what is missing, and how to get it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ingest.kafka.consumer import topics_at
from models import tables as t
from models.errors import PaccError, Unusable
from models.tables import SCHEMA_REVISION
from models.words import CaseState, Queue
from pacc.feeds.scout_status import scout_health
from pacc.learn.champion import load
from pacc.process.database import make_engine, open_engine
from pacc.process.settings import Settings, masked
from pacc.wiring.pipeline import trusted_keys
from prioritizer.model.registry import CHAMPION, aliases
from prioritizer.ranking.rules import check_rules, load_rules


def run_checks(settings: Settings, now: datetime) -> dict[str, Any]:
    """Run every check; return the results, and the settings in force with secrets masked."""
    checks = [
        _check("database and schema", lambda: _database(settings)),
        _check("rules", _rules),
        _check("model", lambda: _model(settings), is_needed=False),
        _check("desks", lambda: _desks(settings), is_needed=False),
        _check("cars without a desk", lambda: _off_road(settings), is_needed=False),
        _check("holidays", lambda: _holidays(settings, now), is_needed=False),
        _check("Kafka and topics", lambda: _kafka(settings), is_needed=False),
        _check("scout", lambda: _scout(settings, now), is_needed=False),
    ]
    return {"checks": checks, "settings": masked(settings)}


def _check(name: str, run: Callable[[], str], *, is_needed: bool = True) -> dict[str, Any]:
    """Run one check. Without what is needed nothing works; the rest some can do without."""
    try:
        ok, detail = True, run()
    except PaccError as error:
        ok, detail = False, str(error)
    except sa.exc.SQLAlchemyError:
        ok, detail = False, "see: database and schema"
    return {"name": name, "ok": ok, "is_needed": is_needed, "detail": detail}


def _database(settings: Settings) -> str:
    open_engine(settings.database_url)
    return f"reachable, schema {SCHEMA_REVISION}"


def _model(settings: Settings) -> str:
    engine = make_engine(settings.database_url)
    try:
        with engine.begin() as connection:
            champion = aliases(connection).get(CHAMPION)
            if champion is None:
                raise Unusable(
                    "No model ranks, rules alone do: `pacc model import`, `pacc model promote`."
                )
            load(connection, champion, trusted_keys(settings))
    finally:
        engine.dispose()
    return f"{champion} ranks inside the rules' floor"


def _desks(settings: Settings) -> str:
    rows = _read(settings, sa.select(t.desk.c.kind, sa.func.count()).group_by(t.desk.c.kind))
    counts: dict[str, int] = dict(rows)
    if Queue.ROADSIDE not in counts:
        raise Unusable("No roadside centre is known: tasks wait unassigned. `pacc desk import`.")
    return ", ".join(f"{number} {kind}" for kind, number in sorted(counts.items()))


def _off_road(settings: Settings) -> str:
    """Count the cars that nobody drives, and their open cases, which no desk is told of."""
    v, c = t.vehicle.c, t.case.c
    cases = sa.and_(c.vin == v.vin, c.state == CaseState.OPEN.value)
    query = (
        sa.select(v.use, sa.func.count(v.vin.distinct()), sa.func.count(c.case_id))
        .select_from(t.vehicle.outerjoin(t.case, cases))
        .where(t.OFF_ROAD)
        .group_by(v.use)
        .order_by(v.use)
    )
    parts = [f"{cars} {use}, open cases {cases}" for use, cars, cases in _read(settings, query)]
    return "; ".join(parts) or "none"


def _holidays(settings: Settings, now: datetime) -> str:
    """Check that the holidays of every dealer reach into the next year."""
    query = sa.select(t.desk.c.desk_id, t.desk.c.holidays).where(
        t.desk.c.kind == Queue.DEALER.value
    )
    ending = [
        desk_id
        for desk_id, holidays in _read(settings, query)
        if max(holidays, default="") < f"{now.year + (now.month >= 11)}-01-01"  # noqa: PLR2004
    ]
    if ending:
        names = ", ".join(ending[:3]) + (" …" if len(ending) > len(ending[:3]) else "")
        raise Unusable(
            f"{len(ending)} dealers have no holidays of the time to come ({names}): their "
            "deadlines would count holidays as business days. Add them with `pacc desk import`."
        )
    return "every dealer's list reaches into the time to come"


def _kafka(settings: Settings) -> str:
    existing = topics_at(settings.kafka_bootstrap_servers)
    wanted = set(settings.topics)
    if settings.relay:
        wanted |= {settings.roadside_topic, settings.dealer_topic, settings.cases_topic}
    missing = sorted(wanted - existing)
    if missing:
        raise Unusable(f"reachable, but without {', '.join(missing)}: create them.")
    return f"reachable, with {', '.join(sorted(wanted))}"


def _scout(settings: Settings, now: datetime) -> str:
    engine = make_engine(settings.database_url)
    try:
        with engine.begin() as connection:
            health = scout_health(connection, now)
    finally:
        engine.dispose()
    if not health["scouts"]:
        raise Unusable(str(health["says"]))
    return str(health["says"])


def _rules() -> str:
    rule_set = load_rules()
    failures = check_rules(rule_set)
    if failures:
        raise PaccError("; ".join(failures))
    return f"{len(rule_set.rules)} rules, version {rule_set.version}"


def _read(settings: Settings, query: sa.Select[Any]) -> list[Any]:
    engine = make_engine(settings.database_url)
    try:
        with engine.begin() as connection:
            return [tuple(row) for row in connection.execute(query)]
    finally:
        engine.dispose()
