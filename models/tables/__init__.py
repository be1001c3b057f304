"""Every table, declared once by subject; SQLAlchemy Core, one metadata."""

from models.tables.access import api_key, audit, idempotency, login_failure, person, session
from models.tables.base import LEDGER_PAGE, SCHEMA_REVISION, metadata
from models.tables.cases import OFF_ROAD, alert, case, contact, fault, vehicle
from models.tables.console import card, handover, presence, worksheet
from models.tables.fleet import fleet_issue, fleet_search
from models.tables.learning import model_alias, model_version
from models.tables.streams import ledger, position, pulse, quarantine, redrive
from models.tables.work import OPEN_TASK, desk, entry, outbox, silence, task

__all__ = [
    "LEDGER_PAGE",
    "OFF_ROAD",
    "OPEN_TASK",
    "SCHEMA_REVISION",
    "alert",
    "api_key",
    "audit",
    "card",
    "case",
    "contact",
    "desk",
    "entry",
    "fault",
    "fleet_issue",
    "fleet_search",
    "handover",
    "idempotency",
    "ledger",
    "login_failure",
    "metadata",
    "model_alias",
    "model_version",
    "outbox",
    "person",
    "position",
    "presence",
    "pulse",
    "quarantine",
    "redrive",
    "session",
    "silence",
    "task",
    "vehicle",
    "worksheet",
]
