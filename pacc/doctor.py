"""Looks at everything that PACC needs, and says what is missing and how to get it."""

from collections.abc import Callable
from typing import Any

from models.errors import PaccError
from models.tables import SCHEMA_REVISION
from pacc.database import make_engine, require_schema
from pacc.settings import Settings, masked
from prioritizer.rules import check_rules, load_rules


def examine(settings: Settings) -> dict[str, Any]:
    """Check database, schema and rules; give the settings in force with secrets masked."""
    checks = [
        _check("database and schema", lambda: _database(settings)),
        _check("rules", _rules),
    ]
    return {"checks": checks, "settings": masked(settings)}


def _check(name: str, look: Callable[[], str]) -> dict[str, Any]:
    try:
        return {"name": name, "ok": True, "detail": look()}
    except PaccError as error:
        return {"name": name, "ok": False, "detail": str(error)}


def _database(settings: Settings) -> str:
    require_schema(make_engine(settings.database_url))
    return f"reachable, schema {SCHEMA_REVISION}"


def _rules() -> str:
    rule_set = load_rules()
    failures = check_rules(rule_set)
    if failures:
        raise PaccError("; ".join(failures))
    return f"{len(rule_set.rules)} rules, version {rule_set.version}"
