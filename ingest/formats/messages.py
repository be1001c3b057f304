"""BMW's check-control messages and condition-based services, in all their spellings."""

import re
from collections.abc import Callable
from typing import Any, Final

from ingest.formats.foreign import Foreign
from ingest.formats.parts import Bad, kind
from ingest.names.words import Said, is_healthy, plain, word_of
from models.words import SEVERITY_RANK, Reject, Severity

# BMW's words; a message may be as grave as its service says, in any spelling of it.
HIGH: Final = frozenset({"HIGH", "HOCH", "高", "严重"})
_LONGEST: Final = 40
# A service that is due, at once or some day.
_DUE: Final = frozenset(
    {"PENDING", "OVERDUE", "DUE", "REQUIRED", "EXPIRED", "FÄLLIG", "FAELLIG", "ÜBERFÄLLIG"}
    | {"到期", "已到期", "超期", "逾期"}
)
_NOW: Final = ("severity", "state")
_GRADES: Final = (*_NOW, "criticalness")
_SIGNS: Final = re.compile(r"[^A-Za-z0-9_.\-]+")


def add_messages(foreign: Foreign, listed: Any, pointer: str, *, is_all: bool = True) -> None:
    """Add an alert for each check-control message that is on; a whole list is a snapshot."""
    since = len(foreign.rejected)
    _add_all(foreign, listed, pointer, _message)
    if isinstance(listed, list) and is_all:
        foreign.snapshot("ccm", since=since)


def add_services(foreign: Foreign, listed: Any, pointer: str) -> None:
    """Add an alert for each service that is due; the list is a snapshot."""
    since = len(foreign.rejected)
    _add_all(foreign, listed, pointer, _service)
    if isinstance(listed, list):
        foreign.snapshot("cbs", since=since)


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
    if _says_ok(message):
        return
    name = _name(message, ("id", "ccmId", "type", "title"), pointer)
    severity, unknown = _severity(message)
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
    foreign.add(f"ccm:{name}", severity, text=text, pointer=pointer, unknown_words=unknown)


def _says_ok(message: dict[str, Any]) -> bool:
    """Whether a message says that nothing is wrong, and nowhere anything else; its criticalness is
    a class of messages, which it has whether it is on or not."""
    said = [message[name] for name in _NOW if message.get(name) not in (None, "")]
    return bool(said) and all(map(is_healthy, said))


def _severity(message: dict[str, Any]) -> tuple[Severity, tuple[str, ...]]:
    """Translate the vehicle's own words, of several the gravest; without one the severity is
    unknown, which is never harmless. Return with it `severity` where a word is none that we know.
    """
    grades: list[Severity] = []
    unknown: tuple[str, ...] = ()
    for name in _GRADES:
        word = message.get(name)
        if word in (None, "") or is_healthy(word):
            continue
        is_high = isinstance(word, str) and len(word) <= _LONGEST and plain(word) in HIGH
        said = Said(Severity.STOP) if is_high else word_of("severity", word)
        if name == "state" and said.is_unknown:
            continue  # a state may say other things than how grave it is
        grades.append(Severity(said.word))
        unknown = ("severity",) if said.is_unknown else unknown
    return max(grades, key=SEVERITY_RANK.__getitem__, default=Severity.UNKNOWN), unknown


def _service(foreign: Foreign, service: dict[str, Any], pointer: str) -> None:
    status = service.get("status", service.get("cbsState"))
    if is_healthy(status):
        return
    name = _name(service, ("type", "cbsType", "id", "title"), pointer)
    is_due = isinstance(status, str) and len(status) <= _LONGEST and plain(status) in _DUE
    severity = Severity.SERVICE if is_due else Severity.UNKNOWN
    unknown = () if is_due or status is None else ("severity",)
    text = _text(service, ("description", "cbsDescription", "longDescription", "text"))
    foreign.add(f"cbs:{name}", severity, text=text, pointer=pointer, unknown_words=unknown)


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
