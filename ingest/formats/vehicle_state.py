"""What a vehicle's state says is wrong outside of its message lists: its tyres, its charging."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ingest.formats.foreign import Foreign
from ingest.formats.parts import number
from ingest.names.words import plain
from models.words import Severity

UNDER_TARGET: Final = "tyre:UNDER_TARGET"
CHARGING_ERROR: Final = "charging:ERROR"
# UN Regulation 141, section 5.3: a car warns at 20 % below the pressure that is recommended.
_LOW: Final = 0.8
# A tyre that has lost two fifths bends its walls: it is damaged by driving on.
_FAR_LOW: Final = 0.6
_LEAST_KPA, _MOST_KPA = 10.0, 1000.0
_ERROR: Final = "ERROR"
_NOT_SAID: Final = frozenset({"", "UNKNOWN", "INVALID", "NOTAVAILABLE", "NA"})


class Tyre(NamedTuple):
    """A tyre's pressure and what it should be, in kPa."""

    pressure: float
    target: float


def tyre_of(pressure: Any, target: Any) -> Tyre | None:
    """Read a tyre; None where one of the two is not to be had."""
    now = number(pressure, _LEAST_KPA, _MOST_KPA)
    wanted = number(target, _LEAST_KPA, _MOST_KPA)
    return None if now is None or wanted is None else Tyre(now, wanted)


def tyres_of(wheels: Any) -> list[Tyre | None]:
    """Read the wheels of a state: `frontLeft: {status: {currentPressure, targetPressure}}`."""
    if not isinstance(wheels, Mapping):
        return []
    states = [
        wheel["status"]
        for wheel in wheels.values()
        if isinstance(wheel, Mapping) and isinstance(wheel.get("status"), Mapping)
    ]
    return [tyre_of(state.get("currentPressure"), state.get("targetPressure")) for state in states]


def softest(tyres: list[Tyre | None]) -> dict[str, float] | None:
    """Return the reading of the softest tyre; None where no pressure is known."""
    pressures = [tyre.pressure for tyre in tyres if tyre is not None]
    return {"tyre_kpa": min(pressures)} if pressures else None


def add_tyres(foreign: Foreign, tyres: list[Tyre | None]) -> None:
    """Add an alert where a tyre lies far under its target; where all are known it may clear."""
    shares = [tyre.pressure / tyre.target for tyre in tyres if tyre is not None]
    if shares and min(shares) < _LOW:
        severity = Severity.LIMITED if min(shares) <= _FAR_LOW else Severity.SERVICE
        foreign.add(UNDER_TARGET, severity)
    if shares and len(shares) == len(tyres):
        foreign.snapshot("tyre")


def add_charging(foreign: Foreign, *words: Any) -> None:
    """Add an alert where one of the words for charging is an error; a word of sense may clear."""
    said = {plain(word) for word in words if isinstance(word, str)} - _NOT_SAID
    if any(_ERROR in word for word in said):
        foreign.add(CHARGING_ERROR, Severity.SERVICE)
    if said:
        foreign.snapshot("charging")
