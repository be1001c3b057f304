"""What is known of a vehicle: its faults, its case, the tasks of it, and how they rank."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from msgspec import Struct, field

from models.batch import Partition
from models.voice import Voices
from models.words import (
    Action,
    CarState,
    CarUse,
    CaseState,
    Disposition,
    Lamp,
    Motion,
    Priority,
    Queue,
    Severity,
    Status,
    TaskState,
)


class Text(Struct, frozen=True):
    """One line in the two languages of the product."""

    zh: str
    en: str


class Place(Struct, frozen=True):
    """Where a vehicle was, WGS-84 degrees: when, how surely (metres), and on which road."""

    lat: float
    lon: float
    at: datetime
    accuracy_m: float | None = None
    road: str | None = None

    @property
    def point(self) -> tuple[float, float]:
        """Return latitude and longitude alone."""
        return self.lat, self.lon


class Build(Struct, frozen=True):
    """Model and software of a car, None where unknown: what may be wrong with all such cars."""

    model: str | None = None
    software: str | None = None


UNKNOWN_BUILD: Final = Build()


class Fault(Struct, frozen=True):
    """One code on one vehicle. `stop_in_motion` stays true from the first stop report that was not
    parked until the code is cleared; `returns` counts how often it came back after a clear.
    `pending_count` counts the drives on which it was pending, the last at `counted_at` and at
    `counted_km`. `cleared_at` is when it ceased to be active. `voices` are who says it, and empty
    where `source` alone does, of no unit and list."""

    code: str
    source: str
    severity: Severity
    status: Status
    first_seen: datetime
    last_seen: datetime
    count: int = 1
    pending_count: int = 0
    counted_at: datetime | None = None
    counted_km: float | None = None
    lamp: Lamp = Lamp.UNKNOWN
    motion: Motion = Motion.UNKNOWN
    stop_in_motion: bool = False
    returns: int = 0
    cleared_at: datetime | None = None
    cleared_by: str | None = None
    defaulted: tuple[str, ...] = ()
    readings: Mapping[str, float] = field(default_factory=dict)
    folded_under: str | None = None
    fold_reason: Text | None = None
    voices: Voices = field(default_factory=dict)

    @property
    def is_active(self) -> bool:
        """Return whether the fault is active, in the sense of the case rules."""
        return self.status in (Status.ACTIVE, Status.LAMP_ONLY)

    @property
    def is_over(self) -> bool:
        """Return whether it was active and is no more: cleared, or only stored or pending since."""
        return self.cleared_at is not None

    @property
    def never_was(self) -> bool:
        """Return whether it stands, or stood, in a memory alone: it was no fault of this case."""
        return self.status in (Status.VERIFYING, Status.CLEARED) and not self.is_over


class VehicleInfo(Struct, frozen=True):
    """What the master data say of a vehicle; all unknown for one that nobody imported.

    `stands_at` is the desk that has the car while its `state` is workshop or transport.
    """

    model: str | None = None
    powertrain: str | None = None
    market: str | None = None
    region: str | None = None
    preferred_dealer: str | None = None
    home_lat: float | None = None
    home_lon: float | None = None
    use: CarUse = CarUse.CUSTOMER
    state: CarState = CarState.ON_ROAD
    stands_at: str | None = None


class Closed(Struct, frozen=True):
    """A case that has ended; `repaired_at` is when a person recorded a repair, if one did."""

    case_id: str
    opened_at: datetime
    closed_at: datetime
    root: str
    repaired_at: datetime | None = None


# How many ended cases a vehicle remembers.
REMEMBERED: Final = 8
# In place of the root of a case that was taken back: its id is taken, and it says nothing.
WITHDRAWN: Final = ""


class Standing(Struct, frozen=True):
    """A case as it stood after one alert: one row for the rules and the model.

    `faults` are the active ones that are not folded; `readings` the newest of each name, among them
    `state_of_charge` (0 to 1), `speed_kph`, `low_voltage_v`, `ambient_c`, `range_km`. `folded` and
    `cleared` count the other faults of the case; `folded_faults` are the folded ones, in which only
    danger is looked for. `history` are the vehicle's earlier cases. `lot` (0 to 1) is drawn from
    the case's id: whether it is picked to learn from. `make` is who made the car, if that is known:
    a maker's own code says nothing of another maker's car.
    """

    at: datetime
    faults: tuple[Fault, ...]
    info: VehicleInfo
    readings: Mapping[str, float]
    is_repeat_repair: bool = False
    folded: int = 0
    cleared: int = 0
    root: str = ""
    model_year: int | None = None
    history: tuple[Closed, ...] = ()
    lot: float = 1.0
    make: str | None = None
    folded_faults: tuple[Fault, ...] = ()


class Ranking(Struct, frozen=True):
    """A priority with everything that explains it.

    `ranked_by` is `rules`, or the version of the model whose `probability` (of being immobilised
    within 24 h, 0 to 1) took part; `fallback` says why a model did not. The challenger's
    probability changes nothing.
    """

    priority: Priority
    action: Action
    score: float
    reasons: tuple[Text, ...]
    rules: tuple[str, ...]
    root: str
    needs_task: bool
    ranked_by: str = "rules"
    probability: float | None = None
    fallback: str | None = None
    challenger: str | None = None
    challenger_probability: float | None = None


class Task(Struct, frozen=True):
    """One piece of work. `held_because` is set while a silence, the workshop or a fleet issue
    holds it back; `issue_id` names the issue, if it is one."""

    task_id: str
    case_id: str
    queue: Queue
    desk: str
    state: TaskState
    priority: Priority
    opened_at: datetime
    claim_by: datetime | None
    contact_by: datetime | None
    route_reason: Text
    held_because: Text | None = None
    issue_id: str | None = None
    disposition: Disposition | None = None
    closed_at: datetime | None = None
    touched: bool = False
    alarms: int = 1
    score: float = 0.0

    @property
    def is_under_way(self) -> bool:
        """Return whether it is claimed and not done."""
        return self.state not in (TaskState.QUEUED, TaskState.DONE)


class Case(Struct, frozen=True):
    """Everything that is wrong with one vehicle now.

    `heal_at`: the stream time by which it heals if nothing comes.
    """

    case_id: str
    vin: str
    state: CaseState
    partition: Partition
    opened_at: datetime
    updated_at: datetime
    ranking: Ranking
    revision: int = 1
    root: str = ""
    heal_at: datetime | None = None
    closed_at: datetime | None = None
    previous_case: str | None = None
    is_repeat_repair: bool = False
    defaulted: tuple[str, ...] = ()
    place: Place | None = None
    build: Build = UNKNOWN_BUILD
    tasks_made: int = 0


class PastCase(Struct, frozen=True):
    """The case of a vehicle that ended last, while it has none that is open.

    `tasks` are those that ended because it healed: they go on if it is opened again.
    """

    case: Case
    faults: Mapping[str, Fault]
    tasks: tuple[Task, ...] = ()


class Silence(Struct, frozen=True):
    """Why a vehicle's tasks are held back, and until when (None: until it is lifted).

    Of the kind `workshop`, `desk` is whose workshop it is, where that is known.
    """

    kind: str
    starts_at: datetime
    ends_at: datetime | None
    reason: str
    desk: str | None = None


class Vehicle(Struct, frozen=True):
    """All that `decide` knows of one vehicle before a batch.

    `cleared` is when each code was last cleared, by code, source, unit and list; `waiting` the
    pending faults without a case; `history` its last `REMEMBERED` ended cases, the newest last;
    `past` the newest of them as it stands, if none is open.
    """

    vin: str
    info: VehicleInfo = field(default_factory=VehicleInfo)
    case: Case | None = None
    faults: Mapping[str, Fault] = field(default_factory=dict)
    tasks: tuple[Task, ...] = ()
    waiting: Mapping[str, Fault] = field(default_factory=dict)
    cleared: Mapping[str, datetime] = field(default_factory=dict)
    history: tuple[Closed, ...] = ()
    silences: tuple[Silence, ...] = ()
    past: PastCase | None = None


class Desk(Struct, frozen=True):
    """Who gets work. `hours` is ISO weekday (1 Monday) → intervals, each from a minute of the day
    until before another; past 1,440 it goes on over midnight. None at all: the usual hours."""

    desk_id: str
    kind: Queue
    name: Text
    market: str
    region: str
    lat: float
    lon: float
    timezone: str
    capabilities: frozenset[str] = frozenset()
    hours: Mapping[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    holidays: frozenset[str] = frozenset()
    is_open: bool = True
