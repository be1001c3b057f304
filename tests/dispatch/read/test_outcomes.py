"""How a case ended is said once: the case page and the training of models never disagree."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispatch.read.outcomes import earlier_cases, endings
from dispatch.tasks import actions
from models import tables as t
from models.words import CaseState, Disposition, Step
from tests.support.consoles import Console, room, urgent
from tests.worlds import (
    CAR,
    LI,
    START,
    STRANDED,
    Centre,
    Stream,
    advisor,
    stranded,
    supervisor,
)

__all__ = ["room"]
_DAY = 24 * 60
_SAYS_NOTHING = {Disposition.SUPERSEDED, Disposition.RETURNED, Disposition.CASE_CLOSED, None}
_IMMOBILE = {Disposition.TOWED, Disposition.FIXED_ON_SITE}
# of each task of a case, in the order in which they ended: how (None: it has not)
_sequences = st.lists(st.none() | st.sampled_from(Disposition), min_size=1, max_size=6)


def test_the_page_says_of_an_earlier_case_what_training_learns_of_it(engine: sa.Engine) -> None:
    centre, roadside = stranded(engine)
    centre.act(actions.claim, roadside, LI)
    centre.walks(roadside, LI, Step.CONTACT)
    ended = {"note": None, "disposition": Disposition.DROVE_TO_DEALER}
    centre.act(actions.complete, roadside, LI, **ended)
    centre.now += timedelta(minutes=1)
    dealer = centre.task(queue="dealer")
    wang = advisor(dealer["desk"])
    centre.act(actions.claim, dealer["task_id"], wang)
    centre.walks(dealer["task_id"], wang, Step.CONTACT)
    ended = {"note": None, "disposition": Disposition.DECLINED}
    centre.act(actions.complete, dealer["task_id"], wang, **ended)
    assert _said(centre) == ([Disposition.DECLINED], [Disposition.DECLINED])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(how=_sequences, state=st.sampled_from(CaseState))
def test_page_and_training_say_the_same_of_any_sequence_of_dispositions(
    played: Centre, how: Sequence[Disposition | None], state: CaseState
) -> None:
    expected = _expected(how, state)
    with played.engine.connect() as connection:
        _retell(connection, how, state)
        learned = {ending.case_id: ending.disposition for ending in endings(connection)}
        (shown,) = earlier_cases(connection, CAR, "another case", supervisor())
        connection.rollback()
    assert learned == ({} if expected is None else {shown.case_id: expected})
    assert shown.disposition == expected


def _expected(how: Sequence[Disposition | None], state: CaseState) -> Disposition | None:
    """A tow or help on the spot tells most; else how the last task ended, once the case has."""
    telling = [word for word in how if word not in _SAYS_NOTHING]
    immobile = [word for word in telling if word in _IMMOBILE]
    if immobile:
        return immobile[-1]
    if state is CaseState.OPEN:
        return None
    if state is CaseState.HEALED and None in how:
        return Disposition.HEALED
    return telling[-1] if telling else None


def _retell(connection: sa.Connection, how: Sequence[Disposition | None], state: CaseState) -> None:
    """Put tasks that ended so into the only case."""
    (task,) = connection.execute(sa.select(t.task)).mappings()
    ended = state is not CaseState.OPEN
    connection.execute(
        sa.update(t.case).values(state=state.value, closed_at=START if ended else None)
    )
    connection.execute(sa.delete(t.task))
    for number, word in enumerate(how):
        closed_at = None if word is None else START + timedelta(minutes=number)
        facts = {"disposition": word and word.value, "closed_at": closed_at, "state": "done"}
        connection.execute(sa.insert(t.task).values({**task, **facts, "task_id": f"task {number}"}))


@pytest.fixture
def played(engine: sa.Engine) -> Centre:
    """A centre with one case of one task."""
    return stranded(engine)[0]


def _said(centre: Centre) -> tuple[list[Disposition], list[Disposition | None]]:
    """What training learns of each case, and what the page says of the vehicle's."""
    with centre.engine.begin() as connection:
        shown = earlier_cases(connection, CAR, "another case", supervisor())
        return [one.disposition for one in endings(connection)], [one.disposition for one in shown]


def test_a_tow_is_shown_on_the_page_of_the_next_case(room: Console) -> None:
    room.enters("li")
    first = urgent(room)["task_id"]
    room.posts(f"/task/{first}/claim")
    for step in ("contact", "set_out", "arrive"):
        room.posts(f"/task/{first}/step/{step}")
    room.posts(f"/task/{first}/finish", disposition="fixed_on_site")
    stream = Stream().says(CAR, "-").says(CAR, "-").says(CAR, "dtc:P0C01", 2 * _DAY, **STRANDED)
    room.centre.worker.process(stream.records[2:])
    (again,) = [row for row in room.centre.rows(t.task, vin=CAR) if row["state"] != "done"]
    page = room.client.get(f"/task/{again['task_id']}").text
    assert "→ Fixed on site" in page.split("Earlier cases", 1)[1]
