"""Limits of the pipeline: records a batch, and the bearable share of unusable records."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from models.batch import Decoded
from models.errors import TooManyRejected


@dataclass(frozen=True, slots=True)
class Limits:
    """Records a batch, and the bearable share of unusable ones among the last `reject_window`."""

    batch: int = 2000
    reject_share: float = 0.2
    reject_window: int = 1000


class RejectWindow:
    """The last records, and how many of them were unusable."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._last: deque[bool] = deque(maxlen=limits.reject_window)

    @property
    def share(self) -> float:
        """The unusable share of the window, 0 to 1."""
        return sum(self._last) / len(self._last) if self._last else 0.0

    def admit(self, decoded: Sequence[Decoded]) -> None:
        """Count a batch before it is written; raise `TooManyRejected` beyond the limit."""
        last = deque(self._last, maxlen=self._limits.reject_window)
        rejected = sum(last)
        for item in decoded:
            if len(last) == last.maxlen:
                rejected -= last[0]
            is_rejected = bool(item.rejected) and not item.items
            last.append(is_rejected)
            rejected += is_rejected
            if len(last) == last.maxlen and rejected > self._limits.reject_share * len(last):
                where = item.record
                raise TooManyRejected(
                    f"{rejected} of the last {len(last)} records are unusable (at "
                    f"{where.partition.topic}/{where.partition.number} offset {where.offset}): "
                    "stopped before filling the quarantine. See what the producer sends; "
                    "PACC_REJECT_LIMIT sets the share that is bearable.",
                )
        self._last = last
