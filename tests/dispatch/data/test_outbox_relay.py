"""What leaves the system: each event once more under the same id, in the order of its case."""

import json
from collections.abc import Sequence

import pytest
import sqlalchemy as sa

from dispatch.data.outbox_relay import relay
from dispatch.tasks import actions
from models.batch import Message
from models.errors import Unreachable
from tests.worlds import LI, stranded


class Post:
    """A stand-in for Kafka that may be down, and remembers what it took."""

    def __init__(self, *, is_down: bool = False) -> None:
        self.is_down = is_down
        self.taken: list[Message] = []

    def send(self, messages: Sequence[Message]) -> None:
        """Take the messages, and fail after that if down: the worst moment."""
        self.taken += messages
        if self.is_down:
            raise Unreachable("Kafka is down")


def test_events_are_sent_again_under_the_same_ids_and_in_the_order_of_the_case(
    engine: sa.Engine,
) -> None:
    centre, task_id = stranded(engine)
    centre.act(actions.claim, task_id, LI)
    down, up = Post(is_down=True), Post()
    with pytest.raises(Unreachable):
        relay(engine, down, centre.now)
    assert relay(engine, up, centre.now) == 3
    assert relay(engine, up, centre.now) == 0
    assert down.taken == up.taken
    events = [json.loads(one.value or b"") for one in up.taken]
    assert [event["type"] for event in events] == [
        "pacc.case.opened.v1",
        "pacc.task.opened.v1",
        "pacc.task.claimed.v1",
    ]
    assert [one.topic for one in up.taken] == ["pacc.cases", *["pacc.tasks.roadside"] * 2]
    assert len({event["id"] for event in events}) == 3
    assert [event["sequence"] for event in events] == sorted(event["sequence"] for event in events)
