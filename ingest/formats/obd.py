"""Emission diagnostics of SAE J1979: confirmed, pending and permanent codes, and the lamp."""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ingest.formats.foreign import Foreign, foreign_document
from ingest.formats.parts import Bad, kind, read_object, shown
from ingest.names.words import word_of
from models.batch import ONE_LIST, Decoded, Record
from models.names.fault_code import is_no_fault, trouble_code
from models.words import Lamp, Reject, Severity, Status

# SAE J1979 and J2012: the lamp is the one for emissions. It asks for service where a code is of
# fuel and air, ignition or exhaust; of an engine too hot (P0217 to P0219), of high voltage or the
# brakes it does not say how grave they are.
_OF_EXHAUST: Final = re.compile(r"dtc:(?:P0(?:[0134]..|2(?!1[789])..)|P2[0-4]..).*")
# How grave the lamp is: steady asks for service, flashing means that driving on does damage.
_GRAVE: Final[Mapping[Lamp, Severity]] = {
    Lamp.OFF: Severity.SERVICE,
    Lamp.MALFUNCTION: Severity.SERVICE,
    Lamp.FLASHING: Severity.LIMITED,
}
_FLASHING: Final = ("2", "2.0")  # as dongles number it; 0 and 1 are off and steady
_LISTS: Final = {
    "confirmed": Status.ACTIVE,
    "permanent": Status.ACTIVE,
    "pending": Status.PENDING,
}
_GRAVITY: Final = (Status.VERIFYING, Status.PENDING, Status.ACTIVE)


def decode(record: Record, value: bytes) -> Decoded:
    """Read one scan: one alert a code, the lamp alone where no code explains it.

    Raises `Bad` where there are neither codes nor a lamp.
    """
    document = read_object(value)
    mil = document.get("mil")
    lamp, unknown = _lamp(mil)
    severity = Severity.UNKNOWN if mil is None else _GRAVE.get(lamp, Severity.UNKNOWN)
    if not any(name in document for name in _LISTS) and "mil" not in document:
        raise Bad(Reject.UNRECOGNISED, "neither codes (confirmed, pending, permanent) nor mil")
    foreign = foreign_document(record, document, "obd")
    present = [name for name in _LISTS if document.get(name) is not None]
    lists = {name: _read_list(foreign, document[name], name) for name in present}
    standing = _standing(lists, is_lamp_off=mil is not None and lamp is Lamp.OFF)
    words = {code: max(said.values(), key=_GRAVITY.index) for code, said in standing.items()}
    # a steady lamp belongs to the confirmed codes, where there are any
    is_explained = lamp is not Lamp.FLASHING and Status.ACTIVE in words.values()
    asked = _asked(lists)
    for code, words_of_lists in standing.items():
        own = Lamp.UNKNOWN if words[code] is Status.PENDING and is_explained else lamp
        foreign.add(
            code,
            _severity(code, lamp, severity),
            status=words[code],
            lamp=own,
            unknown_words=unknown,
            lists=tuple({**dict.fromkeys(sorted(asked), Status.CLEARED), **words_of_lists}.items()),
        )
    unreadable = len(foreign.rejected)
    if asked:
        foreign.snapshot("dtc", since=unreadable, lists=asked)
    if lamp is Lamp.FLASHING:
        foreign.add("obd:MIL_FLASHING", severity, status=Status.LAMP_ONLY, lamp=lamp)
    elif lamp is not Lamp.OFF and not standing:
        foreign.add("obd:MIL", severity, status=Status.LAMP_ONLY, lamp=lamp, unknown_words=unknown)
    if mil is not None and lamp is not Lamp.UNKNOWN:
        foreign.snapshot("obd", since=unreadable)
    return foreign.decoded()


class _List(NamedTuple):
    """The codes of a list, in its order, and whether all of it could be read."""

    codes: list[str]
    is_whole: bool


def _read_list(foreign: Foreign, listed: Any, name: str) -> _List:
    if not isinstance(listed, list):
        raise Bad(Reject.WRONG_TYPE, f"{name} must be a list, not {kind(listed)}", f"/{name}")
    codes, is_whole = [], True
    for place, raw in enumerate(listed):
        code = trouble_code(raw) if isinstance(raw, str) else None
        if code is None:
            is_whole, what = False, f"{shown(raw)} is no trouble code"
            foreign.reject(Bad(Reject.BAD_CODE, what, f"/{name}/{place}"))
        elif not is_no_fault(code):
            codes.append(code)
    return _List(codes, is_whole)


def _asked(lists: Mapping[str, _List]) -> frozenset[str]:
    """Return the lists of which every code is known; with all of them, what no list is noted of."""
    whole = frozenset(name for name, listed in lists.items() if listed.is_whole)
    return whole | ONE_LIST if whole == _LISTS.keys() else whole


def _standing(lists: Mapping[str, _List], *, is_lamp_off: bool) -> dict[str, dict[str, Status]]:
    """Return what each list says of each code that one of them holds.

    A permanent code stays until the car itself has seen its test pass on several drives: where the
    lamp is off, or another list holds the code as confirmed, it adds nothing that is to be done.
    """
    standing: dict[str, dict[str, Status]] = {}
    for name, listed in lists.items():
        for code in listed.codes:
            standing.setdefault(code, {})[name] = _LISTS[name]
    for words in standing.values():
        if "permanent" in words and (is_lamp_off or "confirmed" in words):
            words["permanent"] = Status.VERIFYING
    return standing


def _lamp(mil: Any) -> tuple[Lamp, tuple[str, ...]]:
    """Read the lamp, and name it where its word is one that nobody knows; no word is no lamp.

    A number above 2 may be any of them.
    """
    if mil is None:
        return Lamp.OFF, ()
    if isinstance(mil, (str, int, float)) and str(mil).strip() in _FLASHING:
        return Lamp.FLASHING, ()
    lamp = word_of("lamp", mil)
    word = Lamp.MALFUNCTION if lamp.word is Lamp.AMBER else Lamp(lamp.word)
    return word, ("lamp",) if lamp.is_unknown else ()


def _severity(code: str, lamp: Lamp, of_lamp: Severity) -> Severity:
    """Return how grave a code is: a steady lamp speaks for the engine and its exhaust alone."""
    if lamp is Lamp.MALFUNCTION and not _OF_EXHAUST.fullmatch(code):
        return Severity.UNKNOWN
    return of_lamp
