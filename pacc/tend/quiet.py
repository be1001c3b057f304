"""Heals the cases that are due on partitions that have fallen silent.

Stream time stands while a partition brings nothing. Where it is read to its end, what comes later
bears a later time: the case heals as the next record of the partition would heal it, with the same
rows, and a replay of the same records decides the same.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
import structlog
from msgspec.structs import replace

from ingest.store import batches, position
from models import tables as t
from models.batch import Batch, Extent, Partition
from models.errors import Unreachable
from models.words import CaseState
from pacc.decide.decide import in_parts
from pacc.decide.policy import Policy
from pacc.process.pace import Pace

LOOK_EVERY: Final = timedelta(minutes=1)
# The clock that stamps a record may be behind ours, and a producer may send it again for minutes.
MARGIN: Final = timedelta(minutes=10)
_log = structlog.get_logger(__name__)


class QuietWatch:
    """Looks every `LOOK_EVERY`; asks Kafka for the ends only when a case is due."""

    def __init__(
        self,
        make_policy: Callable[[], Policy],
        read_ends: Callable[[], Mapping[Partition, Extent]],
    ) -> None:
        self._make_policy = make_policy
        self._read_ends = read_ends
        self._policy: Policy | None = None
        self._pace = Pace(LOOK_EVERY)

    def tick(self, engine: sa.Engine, at: datetime) -> Counter[str]:
        """Heal what is due by now; return how many cases healed. While Kafka is away, none do."""
        if not self._pace.is_due(at):
            return Counter()
        with self._pace.timed(at):
            until = at - MARGIN
            with engine.begin() as connection:
                if not _is_any_due(connection, until):
                    return Counter()
            try:
                ends = self._read_ends()  # after `at`: what is appended later is newer than it
            except Unreachable as outage:
                _log.warning("quiet partitions wait for Kafka", outage=str(outage))
                return Counter()
            if self._policy is None:
                self._policy = self._make_policy()
            return +Counter({"healed": heal_quiet(engine, self._policy, ends, until)})


def heal_quiet(
    engine: sa.Engine, policy: Policy, ends: Mapping[Partition, Extent], until: datetime
) -> int:
    """Heal the cases that are due by `until` on partitions that are read to these ends.

    In one transaction under the locks of their vehicles, as a batch without records.
    """
    healed = 0
    with engine.begin() as connection:
        reached = dict.fromkeys(position.read_to_end(connection, ends), until)
        known = batches.known(connection, Batch((), {}), reached, reached)
        for part in in_parts(Batch((), {}), known, policy):
            # stream time stays what the records say
            batches.save(connection, replace(part, watermark={}), policy.ranker.version)
            healed += len(part.cases)
    return healed


def _is_any_due(connection: sa.Connection, until: datetime) -> bool:
    c = t.case.c
    due = sa.select(c.case_id).where(c.state == CaseState.OPEN.value, c.heal_at <= until).limit(1)
    return connection.execute(due).first() is not None
