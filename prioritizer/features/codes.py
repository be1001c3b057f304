"""What ranking needs to know of a fault code, and how grave a fault counts."""

from functools import cache
from typing import Final, NamedTuple

from models.make import is_makers_own
from models.words import SYSTEMS, Lamp, Severity, System
from prioritizer.features.catalogue import TAGS, Catalogue

SYSTEM_BIT: Final = {system.value: 1 << place for place, system in enumerate(SYSTEMS)}
TAG_BIT: Final = {tag: 1 << place for place, tag in enumerate(TAGS)}
INFO, SERVICE, LIMITED, STOP = range(4)
_OWN: Final = {
    Severity.INFO: INFO,
    Severity.SERVICE: SERVICE,
    Severity.LIMITED: LIMITED,
    Severity.STOP: STOP,
}
_BY_LAMP: Final = {
    Lamp.RED: STOP,
    Lamp.AMBER: LIMITED,
    Lamp.FLASHING: LIMITED,
    Lamp.MALFUNCTION: SERVICE,
}


class CodeFacts(NamedTuple):
    """A code's system and tags as bits, and how grave it usually is. `lost_bit` is the system where
    the code says that it fails, 0 where only a sensor of it does."""

    system_bit: int
    lost_bit: int
    tag_bits: int
    usual: int
    has_known_system: bool
    is_sensor: bool


class Codes(dict[tuple[str, str | None], CodeFacts]):
    """The facts of codes by code and make, looked up in the catalogue once each."""

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__()
        self._catalogue = catalogue

    def __missing__(self, key: tuple[str, str | None]) -> CodeFacts:
        """Look a code up; an unknown system counts as propulsion."""
        entry = self._catalogue.entry(*key)
        system = System.PROPULSION if entry.system is System.UNKNOWN else entry.system
        tags = sum(TAG_BIT[tag] for tag in entry.tags)
        usual = LIMITED if entry.severity is None else _OWN.get(entry.severity, LIMITED)
        system_bit = SYSTEM_BIT[system.value]
        # a maker's own code of powertrain or chassis that we do not know: its letter says no system
        is_foreign = (
            not entry.is_catalogued
            and is_makers_own(key[0])
            and key[0].startswith(("dtc:P", "dtc:C"))
        )
        is_known = entry.system is not System.UNKNOWN and not is_foreign
        lost_bit = 0 if entry.is_sensor else system_bit
        facts = self[key] = CodeFacts(system_bit, lost_bit, tags, usual, is_known, entry.is_sensor)
        return facts


@cache
def gravity(severity: Severity, lamp: Lamp, usual: int) -> int:
    """Rank a fault 0 to 3: the vehicle's word, raised by the lamp that the driver sees.

    An unknown severity counts as limited, or as stop where the catalogue says so.
    """
    own = _OWN.get(severity)
    return max(max(LIMITED, usual) if own is None else own, _BY_LAMP.get(lamp, INFO))
