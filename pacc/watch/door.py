"""What came through the door otherwise than it should: said in the log and counted."""

from collections import Counter as Tally

import structlog
from prometheus_client import CollectorRegistry, Counter

from ingest.cluster.dedupe import SHARED_ID
from ingest.formats.refused_stops import has_refused_stop
from models.batch import Report, Snapshot
from models.decision import Decision

_log = structlog.get_logger(__name__)


class DoorMetrics:
    """Words that no vocabulary has, ids that had another content before, stops that were refused.

    The log names the source, which no label may.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._unknown_words = Counter(
            "pacc_unknown_words",
            "Alerts with a word that no vocabulary has, by topic and member.",
            ["topic", "member"],
            registry=registry,
        )
        self._shared_ids = Counter(
            "pacc_shared_ids",
            "Alerts whose id had another content before, by topic.",
            ["topic"],
            registry=registry,
        )
        # without a label: it is 0 from the start, so that the first one is an increase
        self._refused_stops = Counter(
            "pacc_refused_stops",
            "Records that were refused, whole or in part, and say stop.",
            registry=registry,
        )

    def observe(self, decision: Decision) -> None:
        """Note a committed batch."""
        self._observe_words(decision)
        self._observe_refusals(decision)
        shared = Tally(
            (partition.topic, item.source if isinstance(item, Snapshot) else item.alert.source)
            for partition, _, _, item in decision.reports
            if SHARED_ID in item.defaulted
        )
        for (topic, source), number in sorted(shared.items()):
            self._shared_ids.labels(topic).inc(number)
            _log.warning("shared_id", topic=topic, source=source, alerts=number)

    def _observe_words(self, decision: Decision) -> None:
        words: Tally[tuple[str, str, str]] = Tally(
            (partition.topic, item.alert.source, member)
            for partition, _, _, item in decision.reports
            if isinstance(item, Report) and item.unknown_words
            for member in item.unknown_words
        )
        for (topic, source, member), number in sorted(words.items()):
            self._unknown_words.labels(topic, member).inc(number)
            _log.warning("unknown_word", topic=topic, source=source, member=member, alerts=number)

    def _observe_refusals(self, decision: Decision) -> None:
        for ended in decision.ended:
            if has_refused_stop(ended.decoded):
                record = ended.decoded.record
                self._refused_stops.inc()
                _log.error(
                    "refused_stop",
                    topic=record.partition.topic,
                    partition=record.partition.number,
                    offset=record.offset,
                    reason=ended.decoded.rejected[0].reason.value,
                )
