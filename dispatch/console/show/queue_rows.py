"""Rows of a queue as pages show them: with the fault's title, the place, and whose they are."""

from collections.abc import Sequence
from dataclasses import dataclass

from dispatch.console.show.geography import Nearby, nearby
from dispatch.console.show.settings import Code, Console
from dispatch.read.queue import QueueRow
from dispatch.read.typed_rows import values_of
from dispatch.rules.policy import DispatchPolicy
from dispatch.rules.routing import kilometres
from models.case import Text
from models.person import Actor


@dataclass(frozen=True, slots=True)
class ShownRow(QueueRow):
    """A row of a queue for one reader. `looking`: the names of who else has its page open."""

    code: Code
    is_mine: bool
    nearby: Nearby | None
    desk_km: float | None
    looking: Sequence[str]

    @property
    def title(self) -> Text:
        """What is wrong, in a few words."""
        return self.code.title


def shown(
    row: QueueRow,
    actor: Actor,
    house: DispatchPolicy,
    console: Console,
    looking: Sequence[str] = (),
) -> ShownRow:
    """Return a row as a page shows it to the actor."""
    desk, point = house.directory.desk(row.desk), row.point
    return ShownRow(
        **values_of(row),
        code=console.codes(row.cause, row.vin),
        is_mine=row.holder == actor.actor_id,
        nearby=nearby(*point) if point else None,
        desk_km=kilometres((desk.lat, desk.lon), point) if desk and point else None,
        looking=looking,
    )
