"""BMW's check-control messages and condition-based services, in all their spellings."""

import re
from collections.abc import Callable
from typing import Any, Final

from ingest.formats.foreign import Foreign
from ingest.formats.parts import Bad, kind, word_of
from models.words import Reject, Severity

_SEVERITIES: Final = {
    "LOW": Severity.SERVICE,
    "MEDIUM": Severity.LIMITED,
    "HIGH": Severity.STOP,
    "CRITICAL": Severity.STOP,
}
_CRITICALNESS: Final = {
    "NONCRITICAL": Severity.SERVICE,
    "SEMICRITICAL": Severity.LIMITED,
    "CRITICAL": Severity.STOP,
}
_NOT_SHOWN: Final = {"OK"}
_SERVICE_OK: Final = {"OK"}
_SERVICE_DUE: Final = {"PENDING": Severity.SERVICE, "OVERDUE": Severity.SERVICE}
_SIGNS: Final = re.compile(r"[^A-Za-z0-9_.\-]+")


def add_messages(foreign: Foreign, listed: Any, pointer: str) -> None:
    """Add an alert for each check-control message that is on; the list is a snapshot."""
    _add_all(foreign, listed, pointer, _message)
    if isinstance(listed, list):
        foreign.snapshot("ccm")


def add_services(foreign: Foreign, listed: Any, pointer: str) -> None:
    """Add an alert for each service that is due; the list is a snapshot."""
    _add_all(foreign, listed, pointer, _service)
    if isinstance(listed, list):
        foreign.snapshot("cbs")


def _add_all(
    foreign: Foreign, listed: Any, pointer: str, add: Callable[[Foreign, dict[str, Any], str], None]
) -> None:
    if listed is None:
        return
    if not isinstance(listed, list):
        foreign.reject(Bad(Reject.WRONG_TYPE, f"a list is wanted, not {kind(listed)}", pointer))
        return
    for place, item in enumerate(listed):
        where = f"{pointer}/{place}"
        if not isinstance(item, dict):
            foreign.reject(Bad(Reject.WRONG_TYPE, f"an object is wanted, not {kind(item)}", where))
            continue
        try:
            add(foreign, item, where)
        except Bad as bad:
            foreign.reject(bad)


def _message(foreign: Foreign, message: dict[str, Any], pointer: str) -> None:
    state = message.get("state")
    if isinstance(state, str) and state.strip().upper() in _NOT_SHOWN:
        return
    name = _name(message, ("id", "ccmId", "type", "title"), pointer)
    severity = _severity(message)
    text = _text(
        message,
        (
            "description",
            "longDescription",
            "ccmDescriptionLong",
            "text",
            "ccmDescriptionShort",
            "title",
        ),
    )
    foreign.add(f"ccm:{name}", severity, text=text, pointer=pointer)


def _severity(message: dict[str, Any]) -> Severity:
    """Translate the vehicle's own word; without one it is unknown, which is never harmless."""
    for field, words in (
        ("severity", _SEVERITIES),
        ("state", _SEVERITIES),
        ("criticalness", _CRITICALNESS),
    ):
        if message.get(field) is not None:
            severity, is_unknown = word_of(words, message[field], Severity.UNKNOWN)
            if not is_unknown or field != "state":
                return severity
    return Severity.UNKNOWN


def _service(foreign: Foreign, service: dict[str, Any], pointer: str) -> None:
    status = service.get("status", service.get("cbsState"))
    if isinstance(status, str) and status.strip().upper() in _SERVICE_OK:
        return
    name = _name(service, ("type", "cbsType", "id", "title"), pointer)
    severity, _ = word_of(_SERVICE_DUE, status, Severity.UNKNOWN)
    text = _text(service, ("description", "cbsDescription", "longDescription", "text"))
    foreign.add(f"cbs:{name}", severity, text=text, pointer=pointer)


def _name(document: dict[str, Any], fields: tuple[str, ...], pointer: str) -> str:
    for field in fields:
        value = document.get(field)
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            continue
        name = _SIGNS.sub("_", str(value)[:64]).strip("_.-")
        if name:
            return name
    raise Bad(Reject.MISSING_FIELD, f"one of {', '.join(fields)}", pointer)


def _text(document: dict[str, Any], fields: tuple[str, ...]) -> str | None:
    return next(
        (
            document[name]
            for name in fields
            if isinstance(document.get(name), str) and document[name]
        ),
        None,
    )
