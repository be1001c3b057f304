"""What people found: how each case ended, and when its vehicle stood. The teacher of the model."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from models import tables as t
from models.canary import CANARY_VIN
from models.words import CaseState, Disposition

# How a task ends when another one tells how the case ended.
_TELLS_NOTHING = (Disposition.SUPERSEDED, Disposition.RETURNED, Disposition.CASE_CLOSED)
_STOOD = (Disposition.TOWED, Disposition.FIXED_ON_SITE)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a case ended, as far as it has: a tow tells before the case is closed.

    `stood_at` is when we heard that the vehicle stood: the first contact, else the claim.
    `closed_by_people_at` is None for a case that is open or that healed.
    """

    case_id: str
    vin: str
    disposition: Disposition
    stood_at: datetime | None
    closed_at: datetime | None
    closed_by_people_at: datetime | None


def endings(connection: sa.Connection) -> Iterator[Ending]:
    """Give the ending of every case that has one; of several tasks a tow tells most, then the
    last that ended."""
    c, k = t.case.c, t.task.c
    stood = k.disposition.in_([one.value for one in _STOOD])
    query = (
        sa.select(
            c.case_id,
            c.vin,
            c.state,
            c.closed_at,
            k.disposition,
            k.contacted_at,
            k.claimed_at,
            k.opened_at,
        )
        .select_from(t.case.join(t.task, c.case_id == k.case_id, isouter=True))
        .where(c.vin != CANARY_VIN, sa.or_(c.state != CaseState.OPEN.value, stood))
        .where(
            sa.or_(
                k.disposition.is_(None), k.disposition.not_in([one.value for one in _TELLS_NOTHING])
            )
        )
        .order_by(c.case_id, sa.case((stood, 1), else_=0), k.closed_at, k.task_id)
    )
    last: dict[str, Ending] = {}
    for row in connection.execute(query).mappings():
        word = row["disposition"] or (CaseState.HEALED if row["state"] == "healed" else None)
        if word is None:
            continue
        is_by_people = row["state"] == CaseState.CLOSED
        did_stand = word in _STOOD
        last[row["case_id"]] = Ending(
            row["case_id"],
            row["vin"],
            Disposition(word),
            (row["contacted_at"] or row["claimed_at"] or row["opened_at"]) if did_stand else None,
            row["closed_at"],
            row["closed_at"] if is_by_people else None,
        )
    yield from last.values()
