"""Every sentence is about the fault that it names, and no line contradicts the action."""

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from models.case import Fault, Ranking, Standing, Text
from models.make import INVENTED
from models.names.fault_code import spell_code
from models.words import Action
from prioritizer.features.catalogue import load_catalogue
from prioritizer.ranking.rank import rank
from prioritizer.ranking.sentences import of_fault
from tests.support.faults import FAULTS, active_fault, standing_of
from tests.support.models import StubModel, with_model
from tests.worlds import ranker

CATALOGUE = load_catalogue()
READINGS = st.fixed_dictionaries(
    {},
    optional={
        "speed_kph": st.floats(0, 150),
        "state_of_charge": st.floats(0, 1),
        "range_km": st.floats(0, 400),
        "low_voltage_v": st.floats(9, 15),
        "ambient_c": st.floats(-30, 40),
        "hv_temp_c": st.floats(-20, 90),
        "coolant_c": st.floats(-20, 130),
        "tyre_kpa": st.floats(50, 300),
    },
)


def name_of(fault: Fault) -> Text:
    """Return how a fault of an invented car is called."""
    return CATALOGUE.name_of(fault.code, INVENTED)


@st.composite
def standings(draw: Any) -> Standing:
    """A case of up to five faults of different codes, some of which brought readings."""
    faults = draw(st.lists(FAULTS, min_size=1, max_size=5, unique_by=lambda fault: fault.code))
    brought = [
        replace(fault, readings=draw(READINGS), count=draw(st.integers(1, 60))) for fault in faults
    ]
    case = draw(READINGS)
    for fault in brought:
        case |= fault.readings
    return standing_of(*brought, **case)


def explained(standing: Standing, *, probability: float | None = None) -> Ranking:
    """Rank a case, with a model that always answers the same if one is wanted."""
    chosen = ranker() if probability is None else with_model(StubModel(probability))
    return rank([standing], chosen).explain(0)


def named(line: str, faults: tuple[Fault, ...]) -> list[Fault]:
    """Return the faults that an English line names; two spellings of one code have one name."""
    names = {name_of(fault).en for fault in faults if name_of(fault).en in line}
    longest = max(names, key=len, default=None)
    assert all(name in str(longest) for name in names)
    return [fault for fault in faults if name_of(fault).en == longest]


@given(standings())
def test_a_line_that_names_a_fault_is_said_of_that_fault_alone(standing: Standing) -> None:
    for line in explained(standing).reasons:
        faults = named(line.en, standing.faults)
        alone = [explained(replace(standing, faults=(fault,))).reasons for fault in faults]
        assert not alone or any(line in lines for lines in alone)


@given(standings())
def test_a_fault_is_named_once_and_a_code_is_spelled_once(standing: Standing) -> None:
    lines = explained(standing).reasons
    for fault in standing.faults:
        name = name_of(fault)
        same = sum(name.en in name_of(other).en for other in standing.faults)
        assert sum(line.en.count(name.en) for line in lines) <= same
        assert len(lines) == len(set(lines))
        spelled = spell_code(fault.code)
        assert name.en.count(spelled) == any(sign.isdigit() for sign in spelled)


@given(standings(), st.one_of(st.none(), st.floats(0.2, 1)))
def test_no_line_has_an_empty_count_or_an_unknown_number(
    standing: Standing, probability: float | None
) -> None:
    for line in explained(standing, probability=probability).reasons:
        for text in (line.en, line.zh):
            assert "?" not in text
            assert "nan" not in text
            assert "[" not in text
            assert not re.search(
                r"(?<![\d.])0 of them|(?<![\d.])1 (faults|functions|codes|reports)", text
            )
            assert "unlikely" not in text
            assert "不太可能" not in text
            assert "dtc:" not in text


ADVISING = re.compile(r"\b(stop the|do not|visit|carry on|drive )|请|继续行驶|到店")


@given(standings())
def test_reasons_state_facts_and_leave_what_to_do_to_the_action(standing: Standing) -> None:
    ranking = explained(standing)
    for line in ranking.reasons:
        for text in (line.en, line.zh):
            said = text
            for fault in standing.faults:  # a title may speak of driving
                name = name_of(fault)
                said = said.replace(name.en, "").replace(name.zh, "")
            assert not ADVISING.search(said), text
    if any("to stop for" in line.en for line in ranking.reasons):
        assert ranking.action is Action.STOP_NOW


@given(standings())
def test_a_number_of_a_fault_is_what_its_own_alert_brought(standing: Standing) -> None:
    for line in explained(standing).reasons:
        for fault in named(line.en, standing.faults):
            said = line.en.replace(name_of(fault).en, "")
            brought = {f"{value:.0f}" for value in fault.readings.values()}
            brought |= {f"{value:.1f}" for value in fault.readings.values()}
            assert set(re.findall(r"-?\d+(?:\.\d+)?", said.replace("12 V battery", ""))) <= brought


def test_a_signal_that_is_called_like_a_count_of_ours_is_not_taken_for_it() -> None:
    fault = replace(active_fault("dtc:P0A78"), returns=25, readings={"returns": 999.0})
    assert of_fault(fault, lambda _: 0.0, is_named=True)("returns") == 25
