"""The system of a code's range is the one that the words of the reference list speak of."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

import pytest

from models.words import System
from prioritizer.features.catalogue import load_catalogue
from prioritizer.features.systems import parse_systems, system_of
from tests.truth.reference import STANDARD, is_standard
from tests.truth.system_words import system_by_words

CATALOGUE: Final = load_catalogue()
# A limited fault of these is likely to strand the car.
VITAL: Final = frozenset(
    {
        System.PROPULSION,
        System.BRAKING,
        System.STEERING,
        System.HIGH_VOLTAGE,
        System.COOLING,
        System.LUBRICATION,
        System.LOW_VOLTAGE,
        System.TYRES,
    }
)
LEAST_AGREEMENT: Final = 0.95


def test_nearly_every_code_of_the_list_lies_in_its_systems_range(
    reference: Mapping[str, str],
) -> None:
    codes = [code for code in reference if is_standard(code)]
    by_words = {code: system_by_words(code, reference[code]) for code in codes}
    agreeing = [code for code in codes if system_of(f"dtc:{code}") is by_words[code]]
    share = len(agreeing) / len(codes)
    print(f"{len(agreeing)} of {len(codes)} codes agree: {100 * share:.1f} %")  # noqa: T201 - shown by -s
    others = Counter(
        (by_words[code].value, system_of(f"dtc:{code}").value)
        for code in set(codes) - set(agreeing)
    )
    assert share >= LEAST_AGREEMENT, others.most_common()


def test_no_range_makes_a_vital_code_less_than_it_is(reference: Mapping[str, str]) -> None:
    lowered = {
        code: (text, system_of(f"dtc:{code}"))
        for code, text in reference.items()
        if is_standard(code)
        and system_by_words(code, text) in VITAL
        and system_of(f"dtc:{code}") not in VITAL
    }
    assert lowered == {}


@pytest.mark.parametrize(
    ("code", "system"),
    [
        ("P2002", System.EMISSIONS),  # exhaust is not propulsion
        ("P2463", System.EMISSIONS),
        ("P0401", System.EMISSIONS),
        ("P0D91", System.CHARGING),  # charging is not high voltage
        ("P0CF8", System.CHARGING),
        ("B0015", System.RESTRAINT),  # restraint is not body
        ("B00D2", System.RESTRAINT),
        ("C0052", System.STEERING),  # steering is not braking
        ("C0606", System.STEERING),
        ("P0551", System.STEERING),
        ("C0545", System.BRAKING),
        ("P0B40", System.HIGH_VOLTAGE),
        ("P0521", System.LUBRICATION),
        ("P0118", System.COOLING),
        ("P0A8D", System.LOW_VOLTAGE),
        ("U0107", System.PROPULSION),
        ("U0122", System.BRAKING),
        ("U0132", System.STEERING),
        ("U0010", System.PROPULSION),
        ("U0164", System.CLIMATE),
        ("P0305", System.PROPULSION),
        ("P1234", System.PROPULSION),  # a maker's code: its letter is all that is known
        ("C1234", System.BRAKING),
        ("B1234", System.BODY),
        ("U1234", System.NETWORK),
        ("P0FFF", System.PROPULSION),  # not given out
    ],
)
def test_an_unknown_code_ranks_by_what_it_concerns(code: str, system: System) -> None:
    assert system_of(f"dtc:{code}") is system
    assert system_of(f"dtc:{code}-1C") is system


# Entries of ours whose system is not their range's, with the reason.
OWN_SYSTEM: Final[Mapping[str, str]] = {
    "P0A1A": "the generator of a hybrid drives, it is no alternator",
}


@pytest.mark.parametrize("code", STANDARD)
def test_a_catalogued_code_has_the_system_of_its_words(
    reference: Mapping[str, str], code: str
) -> None:
    entry = CATALOGUE.entries[f"dtc:{code}"]
    if code not in OWN_SYSTEM:
        assert entry.system is system_by_words(code, reference[code])


def test_a_mistake_in_the_ranges_names_its_block() -> None:
    with pytest.raises(ValueError, match="systems: P00: 'magic'"):
        parse_systems("P00: [00 magic]")
    with pytest.raises(ValueError, match="systems: P00: the starts do not rise"):
        parse_systems("P00: [00 body, 00 lighting]")
