"""The metric of cars that nobody drives: their cases are kept, and no desk is told of them."""

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, Gauge

from dispatch.rules.whose_car import OFF_ROAD
from models import tables as t
from models.words import CaseState, Priority


class OffRoadMetrics:
    """How many cases of such cars are open."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._cases = Gauge(
            "pacc_off_road_cases",
            "Open cases of cars that nobody drives: they have no task.",
            ["use", "priority"],
            registry=registry,
        )

    def read_database(self, connection: sa.Connection) -> None:
        """Count the open cases of bench and crash test cars."""
        v, c = t.vehicle.c, t.case.c
        query = (
            sa.select(v.use, c.priority, sa.func.count())
            .join_from(t.vehicle, t.case, sa.and_(c.vin == v.vin, c.state == CaseState.OPEN.value))
            .where(t.OFF_ROAD)
            .group_by(v.use, c.priority)
        )
        counts = {(row[0], row[1]): row[2] for row in connection.execute(query)}
        for use in sorted(OFF_ROAD):
            for priority in Priority:
                number = counts.get((use.value, priority.value), 0)
                self._cases.labels(use.value, priority.value).set(number)
