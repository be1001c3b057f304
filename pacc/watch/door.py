"""What came through the door otherwise than it should: said in the log and counted."""

from collections import Counter as Tally

import structlog
from prometheus_client import CollectorRegistry, Counter

from models.batch import Report
from models.decision import Decision

_log = structlog.get_logger(__name__)


class DoorMetrics:
    """Words that no vocabulary has. The log names their source, which no label may."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._unknown_words = Counter(
            "pacc_unknown_words",
            "Alerts with a word that no vocabulary has, by topic and member.",
            ["topic", "member"],
            registry=registry,
        )

    def observe(self, decision: Decision) -> None:
        """Note a committed batch."""
        words: Tally[tuple[str, str, str]] = Tally(
            (partition.topic, item.alert.source, member)
            for partition, _, _, item in decision.reports
            if isinstance(item, Report) and item.unknown_words
            for member in item.unknown_words
        )
        for (topic, source, member), number in sorted(words.items()):
            self._unknown_words.labels(topic, member).inc(number)
            _log.warning("unknown_word", topic=topic, source=source, member=member, alerts=number)
