"""What the HTTP API gives: the bodies of its answers, as its documentation shows them."""

from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from models.words import (
    Action,
    CarState,
    CarUse,
    CaseState,
    Disposition,
    IssueState,
    Priority,
    Queue,
    Role,
    Severity,
    Status,
    Step,
    TaskState,
)

T = TypeVar("T")


class _Out(BaseModel):
    """Made from the typed rows of `dispatch/read/`."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)


class Line(_Out):
    """One line in both languages."""

    zh: str
    en: str


class TaskOut(_Out):
    """A task. Times are UTC; `holder` is the name of who has it in hand."""

    task_id: str
    case_id: str
    vin: str
    queue: Queue
    desk: str
    priority: Priority
    score: float
    state: TaskState
    claim_by: datetime | None
    contact_by: datetime | None
    opened_at: datetime
    closed_at: datetime | None
    disposition: Disposition | None
    route_zh: str
    route_en: str
    held_zh: str | None
    held_en: str | None
    alarms: int
    version: int
    holder: str | None
    lease_until: datetime | None
    claimed_at: datetime | None
    contacted_at: datetime | None
    paused_at: datetime | None
    claim_missed_at: datetime | None
    contact_missed_at: datetime | None
    wake_at: datetime | None
    appointment_at: datetime | None
    is_pick_up: bool | None
    attempts: int
    next_attempt_at: datetime | None


class Vehicle(_Out):
    """What the master data say of the vehicle."""

    plate: str | None
    model: str | None
    powertrain: str | None
    region: str | None
    use: CarUse
    state: CarState
    stands_at: str | None


class Owner(_Out):
    """Whom to call; the number is there only with consent."""

    name: str | None
    phone: str | None
    language: str | None
    has_consent: bool


class TaskWhole(TaskOut):
    """A task with what a caller needs, and what can be done next."""

    action: Action
    reasons: list[Line]
    lat: float | None
    lon: float | None
    place_at: datetime | None
    accuracy_m: float | None
    road: str | None
    vehicle: Vehicle | None
    owner: Owner | None
    steps: list[Step]
    dispositions: list[Disposition]


class FaultOut(_Out):
    """One code on the vehicle."""

    code: str
    severity: Severity
    status: Status
    count: int
    folded_under: str | None
    first_seen: datetime
    last_seen: datetime
    cleared_at: datetime | None
    cleared_by: str | None
    fold_zh: str | None
    fold_en: str | None


class CaseOut(_Out):
    """A case with its faults, and the tasks of it that you may see."""

    case_id: str
    vin: str
    priority: Priority
    score: float
    action: Action
    state: CaseState
    opened_at: datetime
    closed_at: datetime | None
    reasons: list[Line]
    rules: list[str]
    ranked_by: str
    probability: float | None
    fallback: str | None
    challenger: str | None
    challenger_probability: float | None
    rule_set: str
    previous_case: str | None
    is_repeat_repair: bool
    defaulted: list[str]
    faults: list[FaultOut]
    tasks: list[TaskOut]


class EntryOut(_Out):
    """One line of the timeline."""

    entry_id: str
    case_id: str
    task_id: str | None
    at: datetime
    actor: str
    kind: str
    detail: dict[str, Any]


class CaseWhole(CaseOut):
    """A case with its timeline."""

    timeline: list[EntryOut]


class SilenceOut(_Out):
    """A silence in force."""

    silence_id: str
    vin: str
    kind: str
    starts_at: datetime
    ends_at: datetime | None
    reason: str
    made_by: str
    released_at: datetime | None


class SilenceMade(_Out):
    """The id of a new silence."""

    silence_id: str


class FleetIssueOut(_Out):
    """A code that many cars of one model and software report at once.

    `vehicles` and `per_minute` (over ten minutes of stream time) count the fleet; `open` and `held`
    the tasks at your desks.
    """

    issue_id: str
    code: str
    model: str
    software: str
    state: IssueState
    first_seen: datetime
    last_seen: datetime
    vehicles: int
    per_minute: float
    open: int
    held_back: Annotated[int, Field(alias="held")]
    changed_by: str
    changed_at: datetime
    reason: str


class Me(_Out):
    """Whose key this is."""

    key_id: str
    name: str
    role: Role
    desk: str | None


class Paged(_Out, Generic[T]):
    """One page; `next` is what to send as `after` for the following one."""

    items: list[T]
    next: str | None


class Problem(BaseModel):
    """What went wrong (RFC 9457), with facts beside it, as `holder` of a lost claim."""

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    title: str
    status: int
    detail: str
