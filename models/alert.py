"""The canonical alert: what every format is decoded into, and what producers may send as it is."""

from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from models.canary import CANARY_VIN
from models.words import Lamp, Motion, Severity, Status

MAX_VALUE_BYTES: Final = 256 * 1024
VIN_PATTERN: Final = r"^[A-HJ-NPR-Z0-9]{17}$"
# What an alert may carry: a VIN, or the one mark that no vehicle has.
_REPORTED_VIN: Final = rf"^(?:[A-HJ-NPR-Z0-9]{{17}}|{CANARY_VIN})$"
CODE_PATTERN: Final = r"^[a-z][a-z0-9_]{0,15}:[A-Za-z0-9][A-Za-z0-9_./\-]{0,63}$"


def _upper(value: object) -> object:
    return value.strip().upper() if isinstance(value, str) else value


_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


def _utc(value: datetime) -> datetime:
    """Return the time in UTC, kept inside the calendar: an offset may carry it out of it."""
    try:
        return value.astimezone(UTC)
    except OverflowError:
        return _FIRST if value.year == 1 else _LAST


Vin = Annotated[str, BeforeValidator(_upper), StringConstraints(pattern=_REPORTED_VIN)]
Code = Annotated[str, StringConstraints(pattern=CODE_PATTERN)]
# CloudEvents 1.0.2, "Type System": a String holds no control characters.
Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$"),
]
# A JSON number: neither `true` nor a text that looks like one.
Finite = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Utc = Annotated[AwareDatetime, AfterValidator(_utc)]


def unit_of(value: object) -> str | None:
    """Return the name or address of a control unit in one spelling; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    name = "".join(sign for sign in str(value)[:64] if sign.isprintable()).strip().upper()
    return name or None


def _unit(value: str) -> str:
    unit = unit_of(value)
    if unit is None or unit != value.strip().upper():
        message = "1 to 64 printable signs are wanted"
        raise ValueError(message)
    return unit


Unit = Annotated[str, AfterValidator(_unit)]


class Position(BaseModel):
    """A place, WGS-84 degrees, and the road where the vehicle names it: `G6 进京 K1183+200`."""

    model_config = ConfigDict(frozen=True)

    lat: Annotated[Finite, Field(ge=-90, le=90)]
    lon: Annotated[Finite, Field(ge=-180, le=180)]
    accuracy_m: Annotated[Finite, Field(ge=0, le=1_000_000)] | None = None
    road: Annotated[str, StringConstraints(max_length=128)] | None = None


class Alert(BaseModel):
    """One report from a vehicle about one code. Times are UTC; `state_of_charge` is 0 to 1.

    The vocabulary fields are already closed here: `ingest` turns words that it does not know into
    `unknown` and notes the field's name in `Report.defaulted`. `unit` is the control unit that says
    it.
    """

    model_config = ConfigDict(frozen=True)

    id: Name
    source: Name
    vin: Vin
    observed_at: Utc
    code: Code
    unit: Unit | None = None
    status: Status = Status.ACTIVE
    severity: Severity = Severity.UNKNOWN
    lamp: Lamp = Lamp.UNKNOWN
    motion: Motion = Motion.UNKNOWN
    speed_kph: Annotated[Finite, Field(ge=0, le=500)] | None = None
    odometer_km: Annotated[Finite, Field(ge=0, le=5_000_000)] | None = None
    state_of_charge: Annotated[Finite, Field(ge=0, le=1)] | None = None
    position: Position | None = None
    model: Annotated[str, StringConstraints(max_length=64)] | None = None
    software: Annotated[str, StringConstraints(max_length=64)] | None = None
    text: Annotated[str, StringConstraints(max_length=2000)] | None = None
    signals: Annotated[dict[Name, Finite], Field(max_length=50)] = {}

    @property
    def scheme(self) -> str:
        """Return the part of the code before the colon."""
        return self.code.partition(":")[0]
