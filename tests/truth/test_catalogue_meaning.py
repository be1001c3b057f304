"""The catalogue's standard codes mean what the reference list says that they mean."""

from collections.abc import Mapping
from typing import Final

import pytest

from prioritizer.features.catalogue import load_catalogue
from tests.truth.facets import disagreements, in_two_languages
from tests.truth.reference import STANDARD

CATALOGUE: Final = load_catalogue()
# Titles that stood in the catalogue and named another fault than the code means.
ONCE_WRONG: Final = {
    "P0A31": "Drive motor B too hot",
    "P0A3E": "Inverter B too hot",
    "P0A44": "Drive motor A position signal lost",
    "P0A5A": "Drive motor current sensor off",
    "P0B0E": "Drive motor temperature A has no signal",
    "P0B22": "Battery voltage sense A off",
    "P0C00": "Drive motor A current too high",
    "P0CE0": "Battery coolant pump failing",
    "P0D4E": "Charge port proximity signal wrong",
    "P0D5F": "Charge flap failing",
    "P0D67": "Charge plug lock failing",
    "P0D80": "Charge port temperature sensor off",
    "P0E2A": "Battery heater failing",
    "C0055": "Steering assistance motor off",
    "B0081": "Seat occupation sensing off",
    # these the test itself found
    "P0A2B": "Drive motor A temperature implausible",
    "P0A40": "Drive motor A position implausible",
    "P0A82": "High-voltage battery cooling weak",
    "P0AC0": "Battery current sensor off",
    "P0AC7": "Battery temperature sensor B off",
    "P0B3B": "Battery cell voltage sense 1 off",
    "P0C30": "High-voltage battery overcharged",
    "P0D21": "On-board charger output wrong",
    "P0D3D": "On-board charger input voltage wrong",
}


def test_every_standard_code_means_what_the_reference_list_says(
    reference: Mapping[str, str],
) -> None:
    assert len(STANDARD) > 120
    strange = {}
    for code in STANDARD:
        title = CATALOGUE.entries[f"dtc:{code}"].title
        differing = (
            disagreements(title.en, reference[code]) if code in reference else ["not in the list"]
        )
        if differing:
            strange[code] = (title.en, differing)
    assert not strange


@pytest.mark.parametrize(("code", "title"), ONCE_WRONG.items(), ids=ONCE_WRONG)
def test_a_title_that_names_another_fault_is_found(
    reference: Mapping[str, str], code: str, title: str
) -> None:
    assert disagreements(title, reference[code])


@pytest.mark.parametrize("code", CATALOGUE.entries)
def test_a_title_says_the_same_in_both_languages(code: str) -> None:
    title = CATALOGUE.entries[code].title
    assert in_two_languages(title.en, title.zh) == []
