"""Which numbers of a report are believed: known units by size, bounds, and the others' company."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from models.readings.known import ALL_ONES, READINGS

_COLD: Final = -20.0  # degrees C
_NEARLY_EMPTY: Final = 15.0  # km
_TEMPERATURES: Final = ("ambient_c", "hv_temp_c", "coolant_c")


class _OtherUnit(NamedTuple):
    """Values of a reading that can only be meant in another unit, and the factor from it."""

    least: float
    below: float
    factor: float


# Only where no car has such a value in the unit that is wanted.
_OTHER_UNITS: Final[Mapping[str, _OtherUnit]] = {
    "tyre_kpa": _OtherUnit(1, 4.5, 100),  # bar: sensors have steps of 1 kPa and more, and say 0
    "low_voltage_v": _OtherUnit(6_000, 36_000, 0.001),  # millivolts
    "cell_spread_mv": _OtherUnit(1e-3, 1, 1_000),  # volts: no cell is measured to less than 1 mV
}


def _is_cold(readings: Mapping[str, float]) -> bool:
    """Return whether another thermometer than the one that says -40 °C feels deep cold."""
    return any(
        READINGS[name].has(value) and value < _COLD
        for name in _TEMPERATURES
        if (value := readings.get(name)) is not None
    )


def _is_empty(readings: Mapping[str, float]) -> bool:
    """Return whether the range too says that the battery is empty."""
    return 0 <= readings.get("range_km", _NEARLY_EMPTY + 1) <= _NEARLY_EMPTY


class _Company(NamedTuple):
    """A value that a device also writes when it has none: believed in the company of others."""

    value: float
    is_plausible: Callable[[Mapping[str, float]], bool]


# -40 °C is raw 0 of a byte less 40, and a winter's day in Mohe; 0 % is raw 0, and an empty car.
_IN_COMPANY: Final[Mapping[str, _Company]] = {
    **{name: _Company(-40.0, _is_cold) for name in _TEMPERATURES},
    "state_of_charge": _Company(0.0, _is_empty),
}


def believed(readings: Mapping[str, float]) -> tuple[Mapping[str, float], tuple[str, ...]]:
    """Return the numbers of one report that are believed, and the names of the others.

    A number that is plainly in another unit is converted, and named too. A name that PACC does not
    know has no bounds: it is only asked whether all its bits are ones.
    """
    odd = [name for name, value in readings.items() if not _is_plain(name, value)]
    if not odd:
        return readings, ()
    kept = dict(readings)
    named = []
    for name in odd:
        value = _meaning(name, readings)
        if value is None:
            del kept[name]
        else:
            kept[name] = value
        if value != readings[name]:
            named.append(name)
    return kept, tuple(named)


def _is_plain(name: str, value: float) -> bool:
    reading = READINGS.get(name)
    if reading is None:
        return value not in ALL_ONES
    company, other = _IN_COMPANY.get(name), _OTHER_UNITS.get(name)
    return (
        reading.has(value)
        and (company is None or value != company.value)
        and (other is None or not other.least <= value < other.below)
    )


def _meaning(name: str, readings: Mapping[str, float]) -> float | None:
    """Return what an odd number means; None where it means nothing."""
    value, company, other = readings[name], _IN_COMPANY.get(name), _OTHER_UNITS.get(name)
    if company is not None and value == company.value and company.is_plausible(readings):
        return value
    if other is not None and other.least <= value < other.below:
        return round(value * other.factor, 3)
    return None
