"""What the driver is told agrees with the action, for every code, severity and motion."""

import re
from itertools import product
from typing import Final

import pytest

from models.words import Action, Motion, Severity
from prioritizer.features.advice import BY_ACTION, OWN_ADVICE, advice_for
from prioritizer.features.catalogue import load_catalogue
from prioritizer.ranking.rank import rank
from tests.support.faults import active_fault, standing_of
from tests.worlds import ranker

CATALOGUE: Final = load_catalogue()
CODES: Final = (*CATALOGUE.entries, "zz:1", "dtc:P0ABC")
# Words that send a car on its way; "do not drive" sends none.
SENDS_ON: Final = re.compile(
    r"(?<!do not )\bdrive (gently|on|straight)|dealer|on the way|next visit|carry on|book a"
)
SENDS_ON_ZH: Final = re.compile(r"前往|途中|到店|可以继续")
STOPS: Final = re.compile(r"stop safely at once|everybody out|do not drive")


@pytest.mark.parametrize("code", CODES)
def test_no_advice_sends_on_a_car_that_is_to_stop_nor_stops_one_that_may_go(code: str) -> None:
    cases = [
        standing_of(active_fault(code, severity, motion), speed_kph=speed)
        for severity, motion, speed in product(Severity, Motion, (0.0, 90.0))
    ]
    ranked = rank(cases, ranker())
    own = CATALOGUE.entries[code].advice if code in CATALOGUE.entries else None
    for row in range(len(cases)):
        action = ranked.explain(row).action
        advice = advice_for(action, [own] if own else [])
        is_alone = own is not None and OWN_ADVICE[own].stands_alone
        assert is_alone or advice.en.startswith(BY_ACTION[action].en)
        if action is Action.STOP_NOW:
            assert not SENDS_ON.search(advice.en), advice.en
            assert not SENDS_ON_ZH.search(advice.zh), advice.zh
        else:
            assert not STOPS.search(advice.en), advice.en
            assert "立即安全停车" not in advice.zh, advice.zh


def test_whoever_must_leave_the_car_is_told_nothing_before_it() -> None:
    evacuation = OWN_ADVICE["leave_the_car"].text
    for other in OWN_ADVICE:
        assert advice_for(Action.STOP_NOW, [other, "leave_the_car"]) == evacuation
        assert advice_for(Action.STOP_NOW, ["leave_the_car", other]) == evacuation


@pytest.mark.parametrize("name", OWN_ADVICE)
def test_every_own_advice_is_of_a_code_and_agrees_with_an_action(name: str) -> None:
    assert OWN_ADVICE[name].agrees_with
    assert any(entry.advice == name for entry in CATALOGUE.entries.values())
    for text in (OWN_ADVICE[name].text, *BY_ACTION.values()):
        assert any("\u4e00" <= sign <= "\u9fff" for sign in text.zh)
        assert not any("\u4e00" <= sign <= "\u9fff" for sign in text.en)
