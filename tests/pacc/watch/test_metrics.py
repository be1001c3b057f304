"""Metrics: what they count, and what they no longer count."""

from models.batch import Partition
from models.words import Feed
from pacc.watch.metrics import Metrics
from pacc.watch.watchdog import Behind, WatchdogReading

P0 = Partition(Feed.KAFKA, "pacc.alerts", 0)


def test_a_partition_that_was_lost_is_no_longer_counted() -> None:
    metrics, p1 = Metrics(), Partition(Feed.KAFKA, "pacc.alerts", 1)

    def lags() -> dict[str, float]:
        (family,) = (one for one in metrics.registry.collect() if one.name == "pacc_lag_records")
        return {sample.labels["partition"]: sample.value for sample in family.samples}

    metrics.observe_watchdog(WatchdogReading(Behind({P0: 5, p1: 7}), 0, 0))
    assert lags() == {"0": 5, "1": 7}
    metrics.observe_watchdog(WatchdogReading(None, 0, 0))
    assert lags() == {"0": 5, "1": 7}
    metrics.observe_watchdog(WatchdogReading(Behind({P0: 6}), 0, 0))
    assert lags() == {"0": 6}
