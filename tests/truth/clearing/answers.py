"""Random answers of all formats, and what they say, written down without the product's tables."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from models.batch import Record
from tests.worlds import CAR, START, TAPE

CODES = ("P0A80", "P0C01", "U0100")
MESSAGES = ("901", "902", "903")
UNITS = (None, "BMS", "VCU")
ALIASES = {"bmw.cardata": "bmw.state", "uds 2": "uds 1"}
LATEST = 20
# What a list says of a code.
ON, PASSES, GONE = "on", "passes", "gone"
# Units, and the lists of theirs that were asked.
Asked = dict[str | None, frozenset[str]]
# A code, and the unit that says it.
Fault = tuple[str, str | None]


@dataclass(frozen=True)
class Answer:
    """A document, and what it means.

    `says`: of a code of a unit, what each list says that was asked for it, and a mark that tells
    two deliveries apart. `asked`: units, and the lists of theirs that were asked for all codes.
    """

    form: str
    minute: int
    document: dict[str, Any]
    source: str
    scheme: str
    says: dict[Fault, dict[str, str]] = field(default_factory=dict)
    mark: dict[Fault, str] = field(default_factory=dict)
    asked: Asked = field(default_factory=dict)


def stamp(minute: int) -> str:
    """The vehicle's own time at a minute."""
    return (START + timedelta(minutes=minute)).isoformat()


def records(answers: Iterable[Answer]) -> list[Record]:
    """The answers as records that arrive one after the other, however old each is."""
    received = int((START + timedelta(minutes=LATEST)).timestamp() * 1000)
    return [
        Record(
            TAPE,
            place,
            received + place * 1000,
            CAR.encode(),
            json.dumps(answer.document).encode(),
            (("pacc-format", answer.form.encode()),),
        )
        for place, answer in enumerate(answers)
    ]


minutes = st.integers(0, LATEST)
some_codes = st.lists(st.sampled_from(CODES), max_size=2, unique=True)
some_messages = st.lists(st.sampled_from(MESSAGES), max_size=2, unique=True)


@st.composite
def obd(draw: Callable[..., Any]) -> Answer:
    """A scan with some of the three lists, one of them perhaps with a part that nobody can read.

    Without any list it is a document with the lamp alone.
    """
    minute, source = draw(minutes), draw(st.sampled_from(["obd 1", "obd 2"]))
    names = draw(st.lists(st.sampled_from(["confirmed", "pending", "permanent"]), unique=True))
    lists = {name: draw(some_codes) for name in names}
    broken, is_lit = draw(st.sampled_from([None, None, *names])), draw(st.booleans())
    spelled = {name: [*lists[name], *(["?"] if name == broken else [])] for name in names}
    document = {"vin": CAR, "source": source, "observed_at": stamp(minute), "mil": is_lit}
    whole = frozenset(name for name in names if name != broken)
    says: dict[Fault, dict[str, str]] = {}
    for code in {code for listed in lists.values() for code in listed}:
        words = dict.fromkeys(whole, GONE) | {name: ON for name in names if code in lists[name]}
        if words.get("permanent") == ON and (not is_lit or words.get("confirmed") == ON):
            words["permanent"] = PASSES
        says[f"dtc:{code}", None] = words
    mark = dict.fromkeys(says, f"lamp {is_lit}")
    asked: Asked = {None: whole} if whole else {}
    return Answer("obd", minute, document | spelled, source, "dtc", says, mark, asked)


# ISO 14229-1, annex D.2: test failed, this cycle, pending, confirmed, not since clear, since clear
# failed, not this cycle, lamp.
BYTES = {
    0x09: ("active", ON),
    0x2F: ("active", ON),
    0x48: ("active", ON),
    0x88: ("active", ON),
    0x04: ("pending", ON),
    0x08: ("verifying", PASSES),
    0x28: ("verifying", PASSES),
    0x50: ("cleared", GONE),
    0x20: ("cleared", GONE),
}


@st.composite
def uds(draw: Callable[..., Any]) -> Answer:
    """A fault memory of a unit, whole or not; one part perhaps cannot be read."""
    minute, source = draw(minutes), draw(st.sampled_from(["uds 1", "uds 2"]))
    unit, listed = draw(st.sampled_from(UNITS)), draw(some_codes)
    bytes_ = {code: draw(st.sampled_from(sorted(BYTES))) for code in listed}
    is_whole, is_broken = draw(st.booleans()), draw(st.sampled_from([False] * 4 + [True]))
    entries: list[Any] = [{"code": code, "status": byte} for code, byte in bytes_.items()]
    entries += [{"code": "?", "status": 9}] if is_broken else []
    document = {"vin": CAR, "source": source, "observed_at": stamp(minute), "dtcs": entries}
    document |= {"ecu": unit} if unit else {}
    document |= (
        {} if is_whole else draw(st.sampled_from([{"complete": False}, {"status_mask": "01"}]))
    )
    says: dict[Fault, dict[str, str]] = {}
    mark = {}
    for code, byte in bytes_.items():
        word, said = BYTES[byte]
        if said != GONE or not is_whole:
            says[f"dtc:{code}", unit] = {"": said}
            mark[f"dtc:{code}", unit] = word
    asked = {unit: frozenset({""})} if is_whole and not is_broken else {}
    return Answer("uds", minute, document, source, "dtc", says, mark, asked)


@st.composite
def state(draw: Callable[..., Any]) -> Answer:
    """A vehicle state, perhaps without the car's own time, or CarData's answer to the same."""
    minute, listed = draw(minutes), draw(some_messages)
    messages = [{"id": name, "severity": "MEDIUM"} for name in listed]
    says: dict[Fault, dict[str, str]] = {(f"ccm:{name}", None): {"": ON} for name in listed}
    mark = dict.fromkeys(says, "")
    asked: Asked = {None: frozenset({""})}
    if draw(st.booleans()):
        entry = {"value": json.dumps(messages), "timestamp": stamp(minute)}
        data = {"telematicData": {"vehicle.status.checkControlMessages": entry}}
        return Answer("bmw", minute, data, "bmw.cardata", "ccm", says, mark, asked)
    name = draw(st.sampled_from(["lastUpdatedAt", "lastUpdatedAt", "lastFetched"]))
    document = {"state": {name: stamp(minute), "checkControlMessages": messages}}
    is_own = name == "lastUpdatedAt"
    return Answer("bmw", minute, document, "bmw.state", "ccm", says, mark, asked if is_own else {})


@st.composite
def two_lists(draw: Callable[..., Any]) -> Answer:
    """A state of 2021, with a list for machines and one for people, or with one of them alone."""
    minute, which = draw(minutes), draw(st.sampled_from(["both", "both", "machine", "people"]))
    machine, people = draw(some_messages), draw(some_messages)
    spelled = [
        [{"id": name, "severity": "MEDIUM"} for name in listed] for listed in (machine, people)
    ]
    properties: dict[str, Any] = {"lastUpdatedAt": stamp(minute)}
    properties |= {"checkControlMessages": spelled[0]} if which != "people" else {}
    shown = {"checkControlMessages": spelled[1]} if which != "machine" else {}
    document = {"properties": properties, "status": {"currentMileage": {}, **shown}}
    names = {"machine": machine, "people": people, "both": [*machine, *people]}[which]
    says: dict[Fault, dict[str, str]] = {(f"ccm:{name}", None): {"": ON} for name in names}
    asked: Asked = {None: frozenset({""})} if which == "both" else {}
    return Answer("bmw", minute, document, "bmw.state", "ccm", says, dict.fromkeys(says, ""), asked)


@st.composite
def memory(draw: Callable[..., Any]) -> Answer:
    """CarData's fault memory: control units, each with its codes or with what nobody can read."""
    minute = draw(minutes)
    listed = draw(st.dictionaries(st.sampled_from(["BMS", "VCU"]), some_codes, max_size=2))
    unread = draw(st.sampled_from([None, None, *listed]))
    ecus = [
        f'<ecu name="{unit}">'
        + "".join(f'<dtc code="{code}"/>' for code in codes)
        + ("<error>timeout</error>" if unit == unread else "")
        + "</ecu>"
        for unit, codes in listed.items()
    ]
    key = "vehicle.electronicControlUnit.diagnosticTroubleCodes.raw"
    entry = {"value": f"<m>{''.join(ecus)}</m>", "timestamp": stamp(minute)}
    says: dict[Fault, dict[str, str]] = {
        (f"dtc:{code}", unit): {"": ON} for unit, codes in listed.items() for code in codes
    }
    units: list[str | None] = [unit for unit in listed if unit != unread] if listed else [None]
    return Answer(
        "bmw",
        minute,
        {"telematicData": {key: entry}},
        "bmw.cardata",
        "dtc",
        says,
        dict.fromkeys(says, ""),
        dict.fromkeys(units, frozenset({""})),
    )


@st.composite
def event(draw: Callable[..., Any]) -> Answer:
    """A canonical alert: a code is on, its test passes, or it is cleared."""
    minute, source = draw(minutes), draw(st.sampled_from(["box 1", "box 2"]))
    code, unit = f"dtc:{draw(st.sampled_from(CODES))}", draw(st.sampled_from(UNITS[:2]))
    status = draw(st.sampled_from(["active", "pending", "cleared", "lamp_only", "verifying"]))
    document = {
        "id": f"{code} {unit} {status} {minute}",
        "source": source,
        "vin": CAR,
        "observed_at": stamp(minute),
        "code": code,
        "severity": "limited",
        "status": status,
    }
    document |= {"unit": unit} if unit else {}
    word = {"cleared": GONE, "verifying": PASSES}.get(status, ON)
    says: dict[Fault, dict[str, str]] = {(code, unit): {"": word}}
    return Answer("canonical", minute, document, source, "dtc", says, {(code, unit): status})


FORMS = {
    "obd": obd(),
    "uds": uds(),
    "bmw state": st.one_of(state(), two_lists()),
    "bmw memory": memory(),
    "canonical": event(),
}
answers = st.one_of(*FORMS.values())
