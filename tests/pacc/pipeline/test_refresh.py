"""The policy is refreshed between batches."""

import sqlalchemy as sa
from msgspec.structs import replace

from models import tables as t
from pacc.decide.policy import Policy
from pacc.pipeline.limits import Limits
from pacc.pipeline.worker import Worker
from tests.support.models import StubModel, with_model
from tests.worlds import CAR, OTHER, Room, Stream


def test_a_new_champion_ranks_from_the_next_batch_on_without_a_restart(engine: sa.Engine) -> None:
    records = Stream().says(CAR, "dtc:B1342").says(OTHER, "dtc:B1342", minute=1).records
    room = Room(engine)
    promoted: list[StubModel] = []

    def refresh(_connection: sa.Connection, current: Policy) -> Policy:
        return replace(current, ranker=with_model(promoted[0])) if promoted else current

    worker = Worker(engine, room.policy, {}, "test", Limits(), refresh)
    worker.take(records[0].partition, 0)
    worker.process(records[:1])
    promoted.append(StubModel(0.7))
    worker.process(records[1:])
    ranked = {row["vin"]: (row["ranked_by"], row["priority"]) for row in room.rows(t.case)}
    assert ranked == {CAR: ("rules", "normal"), OTHER: ("test-model", "urgent")}
