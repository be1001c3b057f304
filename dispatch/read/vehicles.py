"""What the master data say of a vehicle, and whom to call about it."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from dispatch.access.visibility import callable_number, sees_owners
from dispatch.read.typed_rows import columns_of, typed
from dispatch.rules.phones import dialled, shown
from models import tables as t
from models.person import Actor
from models.sql import within
from models.words import CarState, CarUse


@dataclass(frozen=True, slots=True)
class VehicleRow:
    """A vehicle; None is not known."""

    plate: str | None
    model: str | None
    powertrain: str | None
    region: str | None
    use: CarUse = CarUse.CUSTOMER
    state: CarState = CarState.ON_ROAD
    stands_at: str | None = None


@dataclass(frozen=True, slots=True)
class OwnerRow:
    """Whom to call; the number is there only with consent."""

    name: str | None
    phone: str | None
    language: str | None
    has_consent: bool
    market: str | None = None

    @property
    def dialled(self) -> str | None:
        """What a phone dials; None for what is no number, as older rows may hold."""
        return dialled(self.phone, self.market) if self.phone else None

    @property
    def shown(self) -> str | None:
        """The number in groups; what is no number as it stands."""
        return shown(self.phone, self.market) if self.phone else None


def vehicle(connection: sa.Connection, vin: str) -> VehicleRow | None:
    """Return a vehicle; None for one that nobody knows."""
    query = sa.select(*columns_of(VehicleRow, t.vehicle)).where(t.vehicle.c.vin == vin)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else typed(VehicleRow, row)


def owners(connection: sa.Connection, vins: Sequence[str], actor: Actor) -> dict[str, OwnerRow]:
    """Return the owners of vehicles by VIN, as far as they are known and the actor may call.

    Whose car was sold is its owner no more.
    """
    if not sees_owners(actor):
        return {}
    o, v = t.contact.c, t.vehicle.c
    query = (
        sa.select(o.vin, *columns_of(OwnerRow, t.contact), v.market)
        .join_from(t.contact, t.vehicle, v.vin == o.vin, isouter=True)
        .where(
            within(connection, o.vin, vins),
            sa.func.coalesce(v.state, "") != CarState.SOLD.value,
        )
    )
    return {
        row["vin"]: typed(
            OwnerRow,
            row,
            phone=callable_number(row["phone"], has_consent=row["has_consent"]),
        )
        for row in connection.execute(query).mappings()
    }
