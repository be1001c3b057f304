"""What the scout tells: health, and metrics that only grow by what is new."""

from datetime import timedelta

import sqlalchemy as sa

from models.batch import Record
from pacc.feeds.scout_status import ScoutStatus, scout_health
from pacc.process.clock import utc_now
from pacc.watch.metrics import Metrics
from tests.worlds import CAR, Stream


def records() -> list[Record]:
    """One record, of now."""
    (record,) = Stream().says(CAR, "dtc:P0C01").records
    return [record]


def test_health_says_how_much_of_the_backlog_is_unread(engine: sa.Engine) -> None:
    now = utc_now()
    with engine.begin() as connection:
        assert scout_health(connection, now)["scouts"] == 0
    notes = ScoutStatus(engine, "me", Metrics().scout)
    notes.report_brought(records(), {"opened": 1})
    notes.report_lag(behind=5000, unread=3000, passed=100)
    with engine.begin() as connection:
        assert scout_health(connection, utc_now()) == {
            "scouts": 1,
            "unread": 3000,
            "brought": 1,
            "says": "3000 records of the backlog are unread, 1 were brought forward",
        }
        assert scout_health(connection, utc_now() + timedelta(minutes=1))["scouts"] == 0


def test_metrics_count_what_was_passed_once(engine: sa.Engine) -> None:
    metrics = Metrics()
    notes = ScoutStatus(engine, "me", metrics.scout)
    notes.report_lag(behind=5000, unread=3000, passed=100)
    notes.report_lag(behind=4000, unread=0, passed=150)
    notes.report_brought(records(), {"opened": 1})
    value = metrics.registry.get_sample_value
    assert value("pacc_scout_passed_total") == 150
    assert (value("pacc_scout_behind_records"), value("pacc_scout_unread_records")) == (4000, 0)
    assert value("pacc_scout_brought_total", {"outcome": "opened"}) == 1
    assert value("pacc_scout_waited_seconds_count") == 1
