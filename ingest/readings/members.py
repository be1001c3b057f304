"""The optional members of an alert: what of them can be believed, and the names of the rest.

An alert is refused only for who, what and when; everything else is left out by itself.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from ingest.readings.believe import believed
from ingest.readings.numbers import finite, spelled_name, text_of
from ingest.readings.place import is_place, place_of
from models.alert import Alert, unit_of
from models.readings.known import READINGS

# The readings that stand in the alert itself; the others stand in `signals`.
ON_THE_ALERT: Final = ("speed_kph", "odometer_km", "state_of_charge")
OPTIONAL: Final = frozenset(
    {*ON_THE_ALERT, "position", "model", "software", "text", "signals", "unit"}
)
_NAMES: Final = ("id", "source")
_MOST_SIGNALS: Final = 50
_MOST_NAME: Final = 128
_TEXTS: Final = {"model": 64, "software": 64, "text": 2000}
# CloudEvents 1.0.2, "Type System": U+0000 to U+001F and U+007F to U+009F.
_CONTROLS: Final = frozenset(map(chr, (*range(0x20), *range(0x7F, 0xA0))))

Members = dict[str, Any]
Named = tuple[str, ...]


def mend(document: Mapping[str, Any]) -> tuple[Members, Named]:
    """Return an alert's document without what cannot be believed of it, and the names of that.

    Producers number their alerts and sources: `7` names one as well as `"7"`.
    """
    kept, left_out = members(document)
    rest = {name: value for name, value in document.items() if name not in OPTIONAL}
    names: Members = {name: spelled_name(rest[name]) for name in _NAMES if name in rest}
    return {**rest, **names, **kept}, left_out


def members(document: Mapping[str, Any]) -> tuple[Members, Named]:
    """Return the optional members of a document that can be believed, and the names of the others.

    Cut texts and converted units are named too. `null` is as good as absent, except in `signals`.
    """
    kept: Members = {}
    named: list[str] = []
    for name in sorted(OPTIONAL & document.keys()):
        if document[name] is not None:
            value, left_out = _READERS[name](name, document[name])
            named += left_out
            kept |= {} if value is None else {name: value}
    numbers = kept.pop("signals", {})
    numbers |= {name: kept.pop(name) for name in ON_THE_ALERT if name in kept}
    readings, odd = believed(numbers)
    return {**kept, **_in_their_places(readings)}, tuple(sorted({*named, *map(_named, odd)}))


def doubted(alert: Alert) -> tuple[Alert, Named]:
    """Return a valid alert without what cannot be believed of it, and the names of that."""
    numbers = dict(alert.signals)
    if alert.speed_kph is not None:
        numbers["speed_kph"] = alert.speed_kph
    if alert.odometer_km is not None:
        numbers["odometer_km"] = alert.odometer_km
    if alert.state_of_charge is not None:
        numbers["state_of_charge"] = alert.state_of_charge
    readings, odd = believed(numbers)
    where = alert.position
    has_odd_place = where is not None and not is_place(where.lat, where.lon)
    if not odd and not has_odd_place:
        return alert, ()
    change: Members = {"position": None} if has_odd_place else {}
    if odd:
        change |= {**dict.fromkeys(ON_THE_ALERT), "signals": {}, **_in_their_places(readings)}
    named = {*map(_named, odd), *(("position",) if has_odd_place else ())}
    return alert.model_copy(update=change), tuple(sorted(named))


def _in_their_places(readings: Mapping[str, float]) -> Members:
    """Return readings as members of an alert."""
    placed: Members = {name: readings[name] for name in ON_THE_ALERT if name in readings}
    signals = {name: value for name, value in readings.items() if name not in ON_THE_ALERT}
    return {**placed, "signals": signals} if signals else placed


def _named(name: str) -> str:
    """Return how a reading is named in `defaulted`: the signals that PACC does not know, as one."""
    if name in ON_THE_ALERT:
        return name
    return f"signals.{name}" if name in READINGS else "signals"


def _number(name: str, raw: Any) -> tuple[float | None, Iterable[str]]:
    value = finite(raw)
    return value, () if value is not None else (name,)


def _text(name: str, raw: Any) -> tuple[str | None, Iterable[str]]:
    value, is_whole = text_of(raw, _TEXTS[name])
    return value, () if is_whole else (name,)


def _unit(name: str, raw: Any) -> tuple[str | None, Iterable[str]]:
    value = unit_of(raw)
    is_whole = isinstance(raw, str) and value == raw.strip().upper()
    return value, () if is_whole else (name,)


def _place(_name: str, raw: Any) -> tuple[Members | None, Iterable[str]]:
    return place_of(raw)


def _signals(name: str, raw: Any) -> tuple[dict[str, float] | None, Iterable[str]]:
    """Return the finite numbers; of more than 50 those that PACC knows, then in order of names."""
    if not isinstance(raw, Mapping):
        return None, (name,)
    kept: dict[str, float] = {}
    left_out = set()
    for signal in sorted(raw, key=lambda signal: (signal not in READINGS, signal)):
        value = finite(raw[signal])
        if value is None or len(kept) == _MOST_SIGNALS or not _is_name(signal):
            left_out.add(_named(signal))
        else:
            kept[signal] = value
    return kept, left_out


def _is_name(signal: str) -> bool:
    return 0 < len(signal) <= _MOST_NAME and _CONTROLS.isdisjoint(signal)


_READERS: Final[Mapping[str, Callable[[str, Any], tuple[Any, Iterable[str]]]]] = {
    **dict.fromkeys(ON_THE_ALERT, _number),
    **dict.fromkeys(_TEXTS, _text),
    "position": _place,
    "signals": _signals,
    "unit": _unit,
}
