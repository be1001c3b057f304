"""What a fault's title is about, as facets, so that two wordings can be compared.

The reference list and our catalogue say the same fault in other words. Each facet is a table from
words of either side to one word of ours: which component, which part of it (sensor, unit, whole),
which letter or number, which side, and what is wrong with it.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

GENERAL: Final = "general"


class Pair(NamedTuple):
    """How the reference and how we spell one word of a facet."""

    theirs: str
    ours: str


# The first line that matches decides: what is special stands above what is general.
COMPONENTS: Final[Mapping[str, Pair]] = {
    "network": Pair(r"lost communication|communication bus", r"silent"),
    "software": Pair(r"software incompat", r"software"),
    "interlock": Pair(r"interlock", r"interlock"),
    "dcdc": Pair(r"dc/dc", r"dc/dc"),
    "inverter cooling": Pair(r"inverter \w+ cooling", r"inverter \w+ cooling"),
    "generator inverter": Pair(r"generator inverter", r"generator inverter"),
    "inverter": Pair(r"drive motor (\w )?inverter", r"inverter"),
    "drive pump": Pair(r"motor electronics coolant pump", r"drive electronics coolant pump"),
    "battery pump": Pair(r"battery pack coolant pump", r"battery coolant pump"),
    "battery valve": Pair(r"coolant control valve", r"battery coolant valve"),
    "drive electronics": Pair(r"motor electronics", r"drive electronics"),
    "generator": Pair(r"generator", r"generator|alternator"),
    "motor torque": Pair(r"drive motor \w torque", r"drive motor \w torque"),
    "drive motor": Pair(r"drive motor", r"drive motor"),
    "hybrid unit": Pair(r"powertrain control module", r"hybrid control unit"),
    "battery unit": Pair(r"battery energy control", r"battery energy control"),
    "charger coupler": Pair(r"charger coupler", r"charge plug"),
    "charge flap": Pair(r"charge port door", r"charge flap"),
    "charger": Pair(r"battery charger", r"charger"),
    "charge": Pair(r"state of charge", r"state of charge"),
    "precharge": Pair(r"precharge", r"pre-charge"),
    "positive contactor": Pair(r"positive contactor", r"positive contactor"),
    "negative contactor": Pair(r"negative contactor", r"negative contactor"),
    "isolation": Pair(r"isolation", r"isolation"),
    "battery fan": Pair(r"cooling fan", r"battery fan"),
    "fuse": Pair(r"fuse", r"fuse"),
    "cells apart": Pair(r"voltage variation", r"apart"),
    "battery": Pair(r"hybrid/ev battery", r"high-voltage battery"),
    "12 v": Pair(r"^system voltage|^battery voltage", r"12 v|control unit supply voltage"),
    "brake booster": Pair(r"brake booster", r"brake booster"),
    "brake pedal": Pair(r"brake pedal", r"brake pedal"),
    "brake pressure": Pair(r"brake pressure", r"brake pressure"),
    "brakes": Pair(r"brake temperature", r"brakes"),
    "abs pump": Pair(r"abs pump", r"abs pump"),
    "wheel speed": Pair(r"wheel speed", r"wheel speed"),
    "steering angle": Pair(r"steering wheel position", r"steering angle"),
    "steering assistance": Pair(r"variable effort steering", r"steering assistance"),
    "lateral": Pair(r"lateral accel", r"lateral accel"),
    "yaw": Pair(r"yaw", r"yaw"),
    "stability": Pair(r"stability system", r"stability control"),
    "tyre monitor": Pair(r"tire pressure monitor", r"tyre pressure monitor"),
    "tyre pressure": Pair(r"low tire pressure", r"tyre pressure"),
    "curtain": Pair(r"curtain", r"curtain airbag"),
    "side airbag": Pair(r"side airbag", r"side airbag"),
    "belt limiter": Pair(r"seat belt load limiter", r"belt force limiter"),
    "belt": Pair(r"seat belt", r"seat belt"),
    "airbag": Pair(r"frontal stage", r"airbag"),
    "coolant temperature": Pair(r"engine coolant over", r"engine too hot"),
    "coolant": Pair(r"coolant temperature sensor", r"coolant temperature sensor"),
    "thermostat": Pair(r"thermostat", r"coolant warms"),
    "mixture": Pair(r"too (lean|rich)", r"mixture"),
    "misfire": Pair(r"misfire", r"misfire"),
    "crankshaft": Pair(r"crankshaft", r"crankshaft"),
    "catalyst": Pair(r"catalyst", r"catalyst"),
    "vapour": Pair(r"evap", r"fuel vapour"),
    "oil pressure": Pair(r"oil pressure", r"oil pressure"),
    "gearbox pressure": Pair(r"transmission fluid pressure", r"transmission fluid pressure"),
    "gearbox": Pair(r"transmission control", r"transmission control"),
    "control unit": Pair(r"^control module", r"control unit"),
}
PARTS: Final[Mapping[str, Pair]] = {
    "sensor": Pair(r"sensor|sense\b|switch|monitor malfunction", r"sensor|sense\b|switch|monitor"),
    "unit": Pair(
        r"module|lost communication with [et]cm|radio", r"\bunit|module|radio|cluster|gateway"
    ),
    "phase": Pair(r"phase", r"phase"),
}
# Which physical quantity: a temperature sensor is no current sensor.
QUANTITIES: Final[Mapping[str, Pair]] = {
    "temperature": Pair(r"temperature", r"temperature|too hot"),
    "voltage": Pair(r"(?<!high )voltage(?! isolation)", r"(?<!high-)voltage|12 v"),
    "current": Pair(r"current", r"current"),
    "position": Pair(r"position|angle", r"position|angle"),
    "pressure": Pair(r"pressure", r"pressure"),
    "torque": Pair(r"torque", r"torque"),
}
DEFECTS: Final[Mapping[str, Pair]] = {
    "silent": Pair(r"lost communication|bus \w off", r"silent"),
    "stuck closed": Pair(r"stuck closed", r"stuck closed"),
    "stuck open": Pair(r"stuck open", r"stuck open"),
    "stuck off": Pair(r"stuck off", r"stuck off"),
    "stalled": Pair(r"stuck/stalled", r"stands still"),
    "overspeed": Pair(r"overspeed", r"overspeed"),
    "hot": Pair(r"over temperature|temperature too high", r"too hot"),
    "long": Pair(r"too long", r"too long"),
    "apart": Pair(r"variation", r"apart|uneven"),
    "aged": Pair(r"deterioration|replace", r"aged|worn out"),
    "leak": Pair(r"leak", r"leak"),
    "lean": Pair(r"too lean", r"too lean"),
    "rich": Pair(r"too rich", r"too rich"),
    "misfire": Pair(r"misfire", r"misfire"),
    "unstable": Pair(r"unstable", r"unstable"),
    "erratic": Pair(r"intermittent", r"comes and goes"),
    "low": Pair(r"\blow\b|\bbelow\b", r"\blow\b|weak|slowly"),
    "high": Pair(r"\bhigh\b(?! voltage)", r"\bhigh\b(?!-voltage)"),
    "range": Pair(r"range/performance", r"implausible|out of range"),
    "performance": Pair(r"performance", r"limited|failing|not as commanded"),
}
SIDES: Final = ("left", "right", "front", "rear", "driver", "passenger", "center")
_DESIGNATOR: Final = re.compile(
    r"(?<![\w/-])(?:bank |stage |cylinder )?([A-Z]|\d|one|two)(?![\w/-])"
)
_NO_DESIGNATORS: Final = re.compile(
    r"12 V|Bank 1|Stage 1|[Ss]ensor 1|Position Sensor$|U-V-W|F Terminal"
)
_NUMBERS: Final = {"one": "1", "two": "2"}
# One word in our two languages: a title says in Chinese what it says in English.
BOTH: Final[Mapping[str, tuple[str, str]]] = {
    "sensor": (r"sensor|sense\b|switch|monitor", r"传感器|采样|监测|开关|传感模块"),
    "silent": (r"silent", r"失去通信|失联|中断"),
    "hot": (r"too hot", r"过热"),
    "low": (r"\blow\b", r"过低|不足|偏低|液位低|电量低|极低"),
    "high": (r"\bhigh\b(?!-voltage)", r"过高|极高|高温"),
    "stuck": (r"stuck", r"粘连|无法闭合|卡在|不转"),
    "implausible": (r"implausible", r"不可信"),
    "generator": (r"generator|alternator", r"发电机"),
    "left": (r"\bleft\b", r"左"),
    "right": (r"\bright\b", r"右"),
}
# Pairs of (theirs, ours) that say the same: a bare circuit may be called failing.
_SAME: Final = {
    ("performance", GENERAL),
    (GENERAL, "performance"),
    ("performance", "low"),  # a cooling system that performs badly is weak
}


def _first(table: Mapping[str, Pair], text: str, side: str) -> str:
    lowered = text.lower()
    return next((word for word, pair in table.items() if _hits(pair, side, lowered)), GENERAL)


def _hits(pair: Pair, side: str, lowered: str) -> bool:
    return re.search(pair.theirs if side == "theirs" else pair.ours, lowered) is not None


def _component(text: str, side: str) -> str:
    return _first(COMPONENTS, text, side)


def _part(text: str, side: str) -> str:
    return _first(PARTS, text, side)


def _defect(text: str, side: str) -> str:
    return _first(DEFECTS, text, side)


def _quantities(text: str, side: str) -> frozenset[str]:
    lowered = text.lower()
    return frozenset(word for word, pair in QUANTITIES.items() if _hits(pair, side, lowered))


def _letters(text: str) -> frozenset[str]:
    bare = _NO_DESIGNATORS.sub(" ", text)
    return frozenset(_NUMBERS.get(letter, letter) for letter in _DESIGNATOR.findall(bare))


def _sides(text: str) -> frozenset[str]:
    return frozenset(side for side in SIDES if re.search(rf"\b{side}\b", text.lower()))


def is_sensor(title: str) -> bool:
    """Whether a title of ours names a sensor, a switch or a monitor."""
    return _part(title, "ours") == "sensor"


def disagreements(ours: str, theirs: str) -> list[str]:
    """Return the facets in which two titles differ, each with both words; empty: they agree."""
    differing = []
    facets: Mapping[str, Callable[[str, str], str]] = {
        "component": _component,
        "part": _part,
        "defect": _defect,
    }
    for name, facet in facets.items():
        right, said = facet(theirs, "theirs"), facet(ours, "ours")
        if right != said and (right, said) not in _SAME:
            differing.append(f"{name}: {right}, not {said}")
    quantities = _quantities(theirs, "theirs"), _quantities(ours, "ours")
    if _part(theirs, "theirs") == "sensor" and quantities[0] != quantities[1]:
        differing.append(f"quantity: {sorted(quantities[0])}, not {sorted(quantities[1])}")
    their_letters, our_letters = _letters(theirs), _letters(ours)
    if (their_letters - {"A", "1"}) - our_letters or our_letters - their_letters:
        differing.append(f"letter: {sorted(their_letters)}, not {sorted(our_letters)}")
    if _sides(theirs) != _sides(ours):
        differing.append(f"side: {sorted(_sides(theirs))}, not {sorted(_sides(ours))}")
    return differing


def in_two_languages(en: str, zh: str) -> list[str]:
    """Return the words that one of our two titles of a fault says and the other does not."""
    return [
        word
        for word, (english, chinese) in BOTH.items()
        if bool(re.search(english, en.lower())) != bool(re.search(chinese, zh))
    ]
