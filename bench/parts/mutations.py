"""Ways to spoil a record: its bytes, its JSON, its numbers, its headers, key and time."""

import json
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from msgspec.structs import replace

from models.batch import Record

_NUMBER = re.compile(rb"-?\d+(\.\d+)?")
_NUMBERS = (
    b"0",
    b"-1",
    b"1e308",
    b"1e400",
    b"NaN",
    b"-0.0",
    b"5e-324",
    b"9" * 40,
    b"0.1e",
    b"256",
    b"18446744073709551616",
    b"true",
    b"null",
    b'"7"',
    b"[1]",
    b"1" * 5000,
)
_VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1.5,
    2**63,
    1e308,
    "",
    "x",
    "\x00",
    "电",
    "x" * 3000,
    [],
    {},
    [1],
    [[]],
    {"a": 1},
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "P0420",
    "dtc:P0A80",
    "stop",
    "CRITICAL",
    "NaN",
    "-Infinity",
    "\U0001f697",
    "<a/>",
    "LBV8P2C05L7F09999",
    "2016-12-31T23:59:60Z",
)
_NAMES = (
    "id",
    "vin",
    "data",
    "state",
    "specversion",
    "dtcs",
    "mil",
    "",
    "\x00",
    "attributesMap",
    "vehicle.status.checkControlMessages",
    "telematicData",
    "signals",
    "checkControlMessages",
)
_TEXTS = (
    b"",
    b"\x00",
    b"\xff",
    b"bmw",
    b"uds",
    b"obd",
    b"canonical",
    b"1.0",
    b"x" * 300,
    b"application/json",
    b"application/cloudevents+json",
    b"application/cloudevents-batch+json",
)
_HEADERS = (
    "pacc-format",
    "content-type",
    "ce_id",
    "ce_source",
    "ce_specversion",
    "ce_type",
    "",
    "\x00",
)
_TIMES = (-(2**63), -1, 0, 1, 1_768_442_400_000, 32_503_679_999_999, 32_503_680_000_000, 2**63 - 1)
_KEYS = (None, b"", b"\x00", b"\xff\xfe", b"LBV8P2C05L7F09998", b"k" * 500)

_Mutation = Callable[[Record, Random, Sequence[Record]], Record]


def mutated(record: Record, chance: Random, others: Sequence[Record]) -> Record:
    """Spoil a record in one to four ways."""
    for _ in range(chance.choice((1, 1, 1, 1, 2, 2, 3, 4))):
        record = chance.choice(_MUTATIONS)(record, chance, others)
    return record


def _flip(record: Record, chance: Random, _others: Sequence[Record]) -> Record:
    value = bytearray(record.value or b"")
    for _ in range(chance.randint(1, 8) if value else 0):
        value[chance.randrange(len(value))] = chance.getrandbits(8)
    return replace(record, value=bytes(value))


def _bit(record: Record, chance: Random, _others: Sequence[Record]) -> Record:
    value = bytearray(record.value or b"")
    if value:
        value[chance.randrange(len(value))] ^= 1 << chance.randrange(8)
    return replace(record, value=bytes(value))


def _cut(record: Record, chance: Random, _others: Sequence[Record]) -> Record:
    value = record.value or b""
    begin, end = sorted((chance.randint(0, len(value)), chance.randint(0, len(value))))
    return replace(
        record, value=value[begin:end] if chance.random() < 0.5 else value[:begin] + value[end:]
    )


def _splice(record: Record, chance: Random, others: Sequence[Record]) -> Record:
    value, other = record.value or b"", chance.choice(others).value or b""
    begin, end = sorted((chance.randint(0, len(other)), chance.randint(0, len(other))))
    place = chance.randint(0, len(value))
    return replace(record, value=(value[:place] + other[begin:end] + value[place:])[:300_000])


def _repeat(record: Record, chance: Random, _others: Sequence[Record]) -> Record:
    value = record.value or b""
    begin, end = sorted((chance.randint(0, len(value)), chance.randint(0, len(value))))
    again = value[begin:end] * chance.choice((2, 3, 50))
    return replace(record, value=(value[:begin] + again + value[end:])[:300_000])


def _number(record: Record, chance: Random, _others: Sequence[Record]) -> Record:
    value = record.value or b""
    numbers = list(_NUMBER.finditer(value))
    if not numbers:
        return record
    number = chance.choice(numbers)
    return replace(
        record, value=value[: number.start()] + chance.choice(_NUMBERS) + value[number.end() :]
    )


def _structure(record: Record, chance: Random, _others: Sequence[Record]) -> Record:
    """Change one node of the document; where it is none any more, leave it."""
    try:
        document = json.loads(record.value or b"")
    except (ValueError, RecursionError):
        return record
    changed = _changed(document, chance)
    return replace(record, value=json.dumps(changed).encode("utf-8", "surrogatepass"))


def _changed(node: Any, chance: Random) -> Any:
    """Return a node after one change at a random depth."""
    if isinstance(node, dict) and node and chance.random() < 0.8:
        return _changed_object(node, chance)
    if isinstance(node, list) and node and chance.random() < 0.8:
        place = chance.randrange(len(node))
        if chance.random() < 0.2:
            return [*node, *node[place:], chance.choice(_VALUES)]
        return [*node[:place], _changed(node[place], chance), *node[place + 1 :]]
    if chance.random() < 0.8:
        return chance.choice(_VALUES)
    for _ in range(chance.choice((1, 2, 60, 400))):
        node = [node] if chance.random() < 0.5 else {"data": node}
    return node


def _changed_object(node: dict[str, Any], chance: Random) -> dict[str, Any]:
    name = chance.choice(list(node))
    rest = {key: one for key, one in node.items() if key != name}
    what = chance.randrange(6)
    if what == 0:
        return rest
    if what == 1:
        return {**rest, chance.choice(_NAMES): node[name]}
    if what == 2:
        return {**node, chance.choice(_NAMES): chance.choice(_VALUES)}
    return {**node, name: _changed(node[name], chance)}


def _header(record: Record, chance: Random, _others: Sequence[Record]) -> Record:
    headers = list(record.headers)
    what = chance.randrange(3)
    if what == 0 and headers:
        headers.pop(chance.randrange(len(headers)))
    elif what == 1 and headers:
        place = chance.randrange(len(headers))
        headers[place] = (headers[place][0], chance.choice(_TEXTS))
    else:
        added = (chance.choice(_HEADERS), chance.choice(_TEXTS))
        headers.insert(chance.randint(0, len(headers)), added)
    return replace(record, headers=tuple(headers))


def _place(record: Record, chance: Random, _others: Sequence[Record]) -> Record:
    what = chance.randrange(3)
    if what == 0:
        return replace(record, timestamp=chance.choice(_TIMES))
    if what == 1:
        return replace(record, key=chance.choice(_KEYS))
    return replace(record, value=None if chance.random() < 0.1 else record.value)


_MUTATIONS: tuple[_Mutation, ...] = (
    _flip,
    _bit,
    _cut,
    _splice,
    _repeat,
    _number,
    _structure,
    _structure,
    _structure,
    _header,
    _place,
)
