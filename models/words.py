"""The closed vocabularies: every word that PACC may say of alert, case, task or fleet issue."""

from enum import StrEnum
from operator import attrgetter
from typing import TYPE_CHECKING, Final


class Word(StrEnum):
    """A word of a closed vocabulary. It hashes as the text that it equals: enums by themselves
    hash their names, in Python, and every look-up in a table of words would pay for it. For the
    same reason `value` is read without a line of Python."""

    __hash__ = str.__hash__
    if not TYPE_CHECKING:
        value = property(attrgetter("_value_"))


class Severity(Word):
    """What the vehicle says about a code; `unknown` counts as `limited`, never as harmless."""

    INFO = "info"
    SERVICE = "service"
    LIMITED = "limited"
    STOP = "stop"
    UNKNOWN = "unknown"


class Status(Word):
    """What an alert says of its code; `verifying`: it stands in a memory, but its test
    passes: the car has yet to forget it."""

    ACTIVE = "active"
    PENDING = "pending"
    CLEARED = "cleared"
    LAMP_ONLY = "lamp_only"
    VERIFYING = "verifying"


class Lamp(Word):
    """The warning lamp that the driver sees. `flashing` is a malfunction lamp that flashes: driving
    on does damage."""

    OFF = "off"
    MALFUNCTION = "malfunction"
    FLASHING = "flashing"
    AMBER = "amber"
    RED = "red"
    UNKNOWN = "unknown"


class Motion(Word):
    """Whether the vehicle moves; `unknown` counts as moving."""

    PARKED = "parked"
    MOVING = "moving"
    UNKNOWN = "unknown"


class System(Word):
    """The part of the vehicle that a code belongs to; `unknown` counts as propulsion."""

    PROPULSION = "propulsion"
    BRAKING = "braking"
    STEERING = "steering"
    HIGH_VOLTAGE = "high_voltage"
    COOLING = "cooling"
    LUBRICATION = "lubrication"
    LOW_VOLTAGE = "low_voltage"
    TYRES = "tyres"
    SUSPENSION = "suspension"
    RESTRAINT = "restraint"
    DRIVER_ASSISTANCE = "driver_assistance"
    EMISSIONS = "emissions"
    CHARGING = "charging"
    CLIMATE = "climate"
    BODY = "body"
    LIGHTING = "lighting"
    NETWORK = "network"
    INFOTAINMENT = "infotainment"
    MAINTENANCE = "maintenance"
    UNKNOWN = "unknown"


class Priority(Word):
    """What we do about a case."""

    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class Action(Word):
    """The word for the driver."""

    CARRY_ON = "carry_on"
    VISIT_SOON = "visit_soon"
    DRIVE_TO_DEALER = "drive_to_dealer"
    STOP_NOW = "stop_now"


class Outcome(Word):
    """How a record ended; exactly one for each record. `gap` is an offset that holds no record."""

    OPENED = "opened"
    JOINED = "joined"
    REPEATED = "repeated"
    CLEARED = "cleared"
    HELD = "held"
    LATE = "late"
    DUPLICATE = "duplicate"
    QUIET = "quiet"
    QUARANTINED = "quarantined"
    GAP = "gap"


class CarUse(Word):
    """Whose car it is. Nobody drives a bench or a crash test car on the road."""

    CUSTOMER = "customer"
    DEMO = "demo"
    PRESS = "press"
    BENCH = "bench"
    CRASH_TEST = "crash_test"


class CarState(Word):
    """Where a car is: with its driver, or with somebody else; `sold` has no owner that we know."""

    ON_ROAD = "on_road"
    WORKSHOP = "workshop"
    TRANSPORT = "transport"
    SOLD = "sold"


class CaseState(Word):
    """`open`, or how the case ended."""

    OPEN = "open"
    HEALED = "healed"
    CLOSED = "closed"


class Queue(Word):
    """Where a task waits; also the kind of its desk."""

    ROADSIDE = "roadside"
    DEALER = "dealer"


class TaskState(Word):
    """Where a task stands. Which step leads where is the table in `dispatch/rules/lifecycle.py`."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    CONTACTED = "contacted"
    EN_ROUTE = "en_route"
    ON_SITE = "on_site"
    TOWING = "towing"
    BOOKED = "booked"
    ARRIVED = "arrived"
    REPAIRED = "repaired"
    DONE = "done"


class Step(Word):
    """What a person does with a task; `dispatch/rules/lifecycle.py` says which leads where."""

    CLAIM = "claim"
    CONTACT = "contact"
    SET_OUT = "set_out"
    ARRIVE = "arrive"
    TOW = "tow"
    BOOK = "book"
    CHECK_IN = "check_in"
    REPAIR = "repair"
    PAUSE = "pause"
    RESUME = "resume"
    RELEASE = "release"
    COMPLETE = "complete"


class Disposition(Word):
    """How a task ended: the label that trains the model. The first four are set by PACC itself."""

    HEALED = "healed"
    SUPERSEDED = "superseded"
    RETURNED = "returned"
    CASE_CLOSED = "case_closed"
    FIXED_BY_PHONE = "fixed_by_phone"
    FIXED_ON_SITE = "fixed_on_site"
    TOWED = "towed"
    DROVE_TO_DEALER = "drove_to_dealer"
    REPAIRED = "repaired"
    NO_FAULT_FOUND = "no_fault_found"
    FALSE_ALARM = "false_alarm"
    UNREACHABLE = "unreachable"
    DECLINED = "declined"
    ALREADY_HELPED = "already_helped"


# A repair was recorded: whatever was wrong is ended by it.
REPAIRS: Final = frozenset({Disposition.FIXED_ON_SITE, Disposition.REPAIRED})


class Channel(Word):
    """By which way a customer is approached."""

    CALL = "call"
    MESSAGE = "message"
    LETTER = "letter"


class SurgeRule(Word):
    """Who holds the tasks of a fleet issue back: nobody, a supervisor, or PACC by itself."""

    OFF = "off"
    PROPOSE = "propose"
    HOLD = "hold"


class IssueState(Word):
    """How a fleet issue stands."""

    WATCHED = "watched"
    HOLDING = "holding"
    RELEASED = "released"
    OVER = "over"


class Role(Word):
    """What a person or the bearer of an API key may do."""

    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    DEALER = "dealer"
    ENGINEER = "engineer"
    ADMINISTRATOR = "administrator"


class Feed(Word):
    """Where records came from; each feed has positions and a ledger of its own."""

    KAFKA = "kafka"
    TAPE = "tape"
    HTTP = "http"
    REDRIVE = "redrive"
    LANE = "lane"


class Reject(Word):
    """Why a record, or a part of one, went to quarantine. `docs/reason-codes.md` explains each."""

    NULL_VALUE = "null_value"
    TOO_LARGE = "too_large"
    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    NOT_XML = "not_xml"
    NOT_AN_OBJECT = "not_an_object"
    UNKNOWN_FORMAT = "unknown_format"
    NOT_CLOUDEVENT = "not_cloudevent"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    OUT_OF_BOUNDS = "out_of_bounds"
    BAD_VIN = "bad_vin"
    BAD_TIME = "bad_time"
    BAD_CODE = "bad_code"
    UNRECOGNISED = "unrecognised"


class ModelRefusal(Word):
    """Why a trained model is not used; ranking goes on with rules alone."""

    MISSING = "missing"  # a part of the artifact is not there
    ALTERED = "altered"  # it is not what was signed
    UNSIGNED = "unsigned"  # nobody whom we trust has signed it
    FEATURE_VERSION = "feature_version"  # it was trained on other features
    LIBRARY = "library"  # another scikit-learn made it
    BROKEN = "broken"  # it holds something else than a model of ours


SEVERITY_RANK: Final = {
    Severity.INFO: 0,
    Severity.SERVICE: 1,
    Severity.LIMITED: 2,
    Severity.UNKNOWN: 2,
    Severity.STOP: 3,
}
# The lamps that are an alarm by themselves.
LIT: Final = frozenset({Lamp.MALFUNCTION, Lamp.FLASHING, Lamp.AMBER, Lamp.RED})
PRIORITY_RANK: Final = {Priority.NORMAL: 0, Priority.HIGH: 1, Priority.URGENT: 2}
ACTION_RANK: Final = {
    Action.CARRY_ON: 0,
    Action.VISIT_SOON: 1,
    Action.DRIVE_TO_DEALER: 2,
    Action.STOP_NOW: 3,
}
OUTCOME_ORDER: Final = tuple(Outcome)
SYSTEMS: Final = tuple(System)
