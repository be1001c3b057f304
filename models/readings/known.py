"""The readings that PACC knows: unit, bounds that no car leaves, and values that mean none.

The door drops what lies outside and the rules may not ask for it: both read this table.

Sources of the values that mean *not available* or *error*:

- SAE J1939-71, table 1: of one byte FE and FF, of two bytes FE00 to FFFF.
- SAE J1979, mode 01: 0D (speed) one byte; 05, 46 (temperatures) one byte less 40; 42 (voltage).
- GB/T 32960.3-2016, 7.2.3.1 and 7.2.3.6: speed to 220 km/h, odometer to 999,999.9 km, charge to
  100 %, temperatures -40 to 210 °C; FE or FFFE is abnormal, FF or FFFF is invalid.
- Reports of owners' tools, named beside the value.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

_EXACT: Final = 1e-6  # what a device writes is exact up to the rounding of its decimal digits


class Reading(NamedTuple):
    """One reading: its unit, the least and the most that is believed, and ranges that mean none."""

    unit: str
    least: float
    most: float
    not_available: tuple[tuple[float, float], ...] = ()

    def has(self, value: float) -> bool:
        """Return whether a value is within the bounds and is none that means *not available*."""
        if not self.least <= value <= self.most:
            return False
        return not any(first <= value <= last for first, last in self.not_available)


def _exactly(*values: float) -> tuple[tuple[float, float], ...]:
    return tuple((value - _EXACT, value + _EXACT) for value in values)


# A byte less 40: raw 0, FE and FF (SAE J1979, GB/T 32960.3; CarDash#6 for the raw 0).
_BYTE_LESS_40: Final = _exactly(-40, 214, 215)

# A battery of 12 or 24 V; a control unit that still speaks has 3 V (ISO 16750-2, start profile).
# 25.5 V is FF in tenths (WunderLINQ-Android#37), 25.4 V is FE.
_LOW_VOLTAGE: Final = Reading("V", 3, 36, _exactly(25.4, 25.5))
# Halved, a byte less 40 ends at 87 and 87.5 °C; both lie above the bound.
_AMBIENT: Final = Reading("degrees C", -60, 70, _BYTE_LESS_40)
# Under 10 kPa it is 0 (a sensor that sleeps), or bar. 637.5 kPa is FF in steps of 2.5; FE and FF in
# steps of 4 (SAE J1939-71, SPN 241: 1,016 and 1,020) lie above the bound.
_TYRE: Final = Reading("kPa", 10, 1_000, _exactly(635, 637.5))

READINGS: Final[Mapping[str, Reading]] = {
    # -0.01, 2.54 and 2.55 (-1, FE and FF in percent; egmp-bluelink-scriptable#104) are out of it.
    "state_of_charge": Reading("0 to 1", 0, 1),
    "low_voltage_v": _LOW_VOLTAGE,
    "ambient_c": _AMBIENT,
    # Diesel cars go 2,000 km; 6553.5, 65534 and 65535 lie above the bound.
    "range_km": Reading("km", 0, 2_000, _exactly(1_023)),
    # FE and FF of one byte; FE00 to FFFF in 1/256 km/h (SAE J1939-71, SPN 84) are 254 to 255.996.
    # 6553.4 and 6553.5 (GB/T 32960.3), 655.35 and 65535 lie above the bound.
    "speed_kph": Reading("km/h", 0, 500, ((254, 256),)),
    # FFFFFF in tenths; a car that says 0 has not read it. FFFFFF and FFFFFFFF lie above the bound.
    "odometer_km": Reading("km", 0, 5_000_000, _exactly(0, 1_677_721.4, 1_677_721.5)),
    # A cell of lithium has less than 4.5 V; FFFF lies above the bound.
    "cell_spread_mv": Reading("mV", 0, 4_500),
    "hv_temp_c": Reading("degrees C", -50, 210, _BYTE_LESS_40),
    "coolant_c": Reading("degrees C", -50, 200, _BYTE_LESS_40),
    "tyre_kpa": _TYRE,
}
# All bits ones in two, three and four bytes, whole and in tenths, hundredths and thousandths.
ALL_ONES: Final = frozenset(
    ones / per_unit for ones in (0xFFFF, 0xFFFFFF, 0xFFFFFFFF) for per_unit in (1, 10, 100, 1_000)
)
