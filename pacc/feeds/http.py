"""Alerts over HTTP: a feed of its own, through the same pipeline and the same laws."""

import random
import threading
from collections.abc import Mapping
from datetime import datetime
from time import sleep
from typing import Any, Final

import sqlalchemy as sa

from ingest.formats.decode import decode
from models.batch import Partition, Record
from models.errors import Fenced, Unreachable, Unusable
from models.words import Feed, Outcome
from pacc.pipeline.worker import Worker
from prioritizer.ranking.rank import BY_RULES

_FEED: Final = Partition(Feed.HTTP, "pacc.alerts", 0)
_TRIES: Final = 100
_PATIENCE_SECONDS: Final = 0.02


class Intake:
    """Turns requests into records of the partition `http`, one at a time.

    Several processes may serve: whoever was fenced takes the partition back and tries again.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._one_at_a_time = threading.Lock()

    def take_in(
        self, value: bytes, headers: tuple[tuple[str, bytes], ...], at: datetime
    ) -> dict[str, Any]:
        """Make an alert durable; return its outcome, and that of each alert in it.

        Raises `Unusable` with the reason (nothing was stored: the sender still has it), and
        `Unreachable` when other processes fenced this one at every try.
        """
        timestamp = int(at.timestamp() * 1000)
        probe = Record(_FEED, 0, timestamp, None, value, headers)
        (decoded,) = decode([probe], {})
        if decoded.rejected and not decoded.items:
            first = decoded.rejected[0]
            raise Unusable(first.detail, reason=first.reason.value, pointer=first.pointer)
        with self._one_at_a_time:
            return self._process(value, headers, timestamp)

    def ranking(self, connection: sa.Connection) -> dict[str, str | None]:
        """Return what ranks, a model's version or `rules`, and why no model does."""
        ranker = self._worker.refresh(connection).ranker
        return {
            "ranked_by": ranker.model.version if ranker.model else BY_RULES,
            "fallback": ranker.fallback,
        }

    def _process(
        self, value: bytes, headers: tuple[tuple[str, bytes], ...], timestamp: int
    ) -> dict[str, Any]:
        for _ in range(_TRIES):
            try:
                offset = self._offset()
                record = Record(_FEED, offset, timestamp, None, value, headers)
                decision = self._worker.process([record])
            except Fenced:
                sleep(random.uniform(0, _PATIENCE_SECONDS))
                self._worker.take(_FEED, None)
                continue
            return {
                "outcome": decision.ended[0].outcome.value,
                "alerts": [
                    {"fingerprint": item.fingerprint, "outcome": outcome.value, "vin": item.vin}
                    for _, _, outcome, item in decision.reports
                    if outcome is not Outcome.DUPLICATE
                ],
            }
        raise Unreachable("Too many processes take alerts in at once. Send it again.")

    def _offset(self) -> int:
        positions: Mapping[Partition, int] = self._worker.positions()
        if _FEED in positions:
            return positions[_FEED]
        return self._worker.take(_FEED, None).next_offset
