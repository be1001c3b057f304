"""The rule set: YAML in, one mask a rule over a whole batch out, with tests in the same file."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from importlib.resources import files
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from models.case import Fault, Standing, Text, VehicleInfo
from models.documents.fields import a_list, a_text, a_word, has_keys, two_languages
from models.documents.yaml import Source, read_with_lines
from models.make import INVENTED
from models.words import PRIORITY_RANK, Action, Lamp, Motion, Priority, Severity, Status
from prioritizer.features.catalogue import Catalogue
from prioritizer.features.codes import Codes
from prioritizer.features.features import READINGS, tabulate
from prioritizer.ranking.conditions import Condition, Facts, compile_condition
from prioritizer.ranking.sentences import CODE, FAULT, NAMES, names_in

PLACEHOLDERS: Final = NAMES | {FAULT, CODE}
_KEYS: Final = frozenset(
    {"id", "title", "status", "when", "floor", "action", "reason", "owner", "tests"}
)
_STATUSES: Final = ("stable", "experimental", "off")
_TEST_FIELDS: Final = ("powertrain", "repeat_repair", "make")
_COUNTS: Final = ("age_hours", "returns")
_WORDS: Final[Mapping[str, type[StrEnum]]] = {"severity": Severity, "motion": Motion, "lamp": Lamp}
_FIRED: Final = {True: "fired", False: "did not fire"}
_NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, which fires for a fault. `floor` None: it opens no task, it only says an action. A
    general one introduces no fault of which another rule knows more. An experimental one does not
    act: that it fired stands in the case's rules, to be counted."""

    rule_id: str
    title: Text
    is_on: bool
    is_experimental: bool
    condition: Condition
    floor: Priority | None
    action: Action
    reason: Text
    owner: str
    tests: tuple[Mapping[str, Any], ...]
    when: Any
    source: Source
    is_general: bool

    @property
    def rank(self) -> int | None:
        """The rank of the priority that it sets; None where it sets none."""
        return None if self.floor is None or self.is_experimental else PRIORITY_RANK[self.floor]


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All rules in their order, and a version that changes with any of them."""

    rules: tuple[Rule, ...]
    version: str

    def fired(self, facts: Facts) -> NDArray[np.bool_]:
        """Return one boolean column a rule: shape (faults, rules)."""
        mask = np.zeros((len(facts.table.owner), len(self.rules)), dtype=np.bool_)
        for place, rule in enumerate(self.rules):
            if rule.is_on:
                mask[:, place] = rule.condition(facts)
        return mask


def parse_rules(texts: Mapping[str, str]) -> RuleSet:
    """Read rule files (name → YAML). Raises `Mistake`, which names file, line and field."""
    rules: list[Rule] = []
    content = []
    seen: dict[str, Source] = {}
    for name in sorted(texts):
        documents, source = read_with_lines(texts[name], name)
        content.append(documents)
        for place, document in enumerate(a_list(documents, source)):
            rule = _parse(document, source.at(place))
            if rule.rule_id in seen:
                raise rule.source.mistake(f"stands in {seen[rule.rule_id]} too")
            seen[rule.rule_id] = rule.source
            rules.append(rule)
    spelled = json.dumps(content, sort_keys=True, ensure_ascii=True)
    return RuleSet(tuple(rules), hashlib.sha256(spelled.encode()).hexdigest()[:12])


def load_rules() -> RuleSet:
    """Read the rule set that comes with the package."""
    folder = files("prioritizer.ranking").joinpath("rule_set")
    return parse_rules(
        {
            path.name: path.read_text("utf-8")
            for path in folder.iterdir()
            if path.name.endswith(".yaml")
        }
    )


def check_rules(rule_set: RuleSet) -> list[str]:
    """Refuse a rule without one test that fires and one that does not."""
    failures = []
    for rule in rule_set.rules:
        wanted = {bool(test["fires"]) for test in rule.tests}
        if wanted != {True, False}:
            failures.append(
                f"{rule.source}: {rule.rule_id}: wants one test that fires and one that does not"
            )
    return failures


def test_rules(rule_set: RuleSet, catalogue: Catalogue) -> list[str]:
    """Run every rule's own tests; return which went another way."""
    cases = [
        (place, rule, test)
        for place, rule in enumerate(rule_set.rules)
        if rule.is_on
        for test in rule.tests
    ]
    standings = [standing_of(test) for _, _, test in cases]
    facts = Facts(tabulate(standings, Codes(catalogue)))
    fired = [facts.rows(mask) for mask in rule_set.fired(facts).T]
    return [
        f"{rule.source}: {rule.rule_id}: {test['name']}: {_FIRED[bool(fired[place][row])]}"
        for row, (place, rule, test) in enumerate(cases)
        if bool(fired[place][row]) != test["fires"]
    ]


def _parse(document: Any, source: Source) -> Rule:
    has_keys(document, source, _KEYS, ("general",))
    is_general = document.get("general", False)
    if not isinstance(is_general, bool):
        raise source.at("general").mistake(f"wants true or false, not {is_general!r}")
    rule_id = a_text(document["id"], source.at("id"))
    source = source.called(rule_id)
    status = document["status"]
    if status not in _STATUSES:
        raise source.at("status").mistake(f"status is {', '.join(_STATUSES)}")
    floor = document["floor"]
    return Rule(
        rule_id=rule_id,
        title=two_languages(document["title"], source.at("title")),
        is_on=status != "off",
        is_experimental=status == "experimental",
        condition=compile_condition(document["when"], source.at("when")),
        floor=None if floor is None else a_word(Priority, floor, source.at("floor")),
        action=a_word(Action, document["action"], source.at("action")),
        reason=_reason(document["reason"], source.at("reason")),
        owner=a_text(document["owner"], source.at("owner")),
        tests=tuple(
            _tested(test, source.at("tests", place))
            for place, test in enumerate(a_list(document["tests"], source.at("tests")))
        ),
        when=document["when"],
        source=source,
        is_general=is_general,
    )


def _reason(document: Any, source: Source) -> Text:
    reason = two_languages(document, source)
    for language, line in (("zh", reason.zh), ("en", reason.en)):
        try:
            used = names_in(line)
        except ValueError as error:
            raise source.at(language).mistake(str(error)) from error
        if used - PLACEHOLDERS:
            unknown = sorted(used - PLACEHOLDERS)[0]
            raise source.at(language).mistake(f"no placeholder {unknown!r}")
    return reason


def _tested(test: Any, source: Source) -> Mapping[str, Any]:
    has_keys(test, source, ("name", "fires"), ("faults", "readings", *_TEST_FIELDS))
    for field in ("fires", "repeat_repair"):
        if not isinstance(test.get(field, False), bool):
            raise source.at(field).mistake(f"wants true or false, not {test[field]!r}")
    for field in ("name", "powertrain", "make"):
        a_text(test.get(field, "unknown"), source.at(field))
    for place, fault in enumerate(a_list(test.get("faults", []), source.at("faults"))):
        at = source.at("faults", place)
        has_keys(fault, at, ("code",), ("severity", "motion", "lamp", *_COUNTS))
        a_text(fault["code"], at.at("code"))
        for field, words in _WORDS.items():
            if field in fault:
                a_word(words, fault[field], at.at(field))
        for field in _COUNTS:
            _number(fault.get(field, 0), at.at(field))
    readings = test.get("readings", {})
    for name, value in has_keys(readings, source.at("readings"), (), READINGS).items():
        _number(value, source.at("readings", name))
    return cast("Mapping[str, Any]", test)


def _number(value: Any, source: Source) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise source.mistake(f"wants a number, not {value!r}")


def standing_of(test: Mapping[str, Any]) -> Standing:
    """Build the row of a rule's test."""
    return Standing(
        at=_NOW,
        faults=tuple(_fault(line) for line in test.get("faults", ())),
        info=VehicleInfo(powertrain=test.get("powertrain")),
        readings=test.get("readings", {}),
        is_repeat_repair=test.get("repeat_repair", False),
        make=test.get("make", INVENTED),
        root=next((fault["code"] for fault in test.get("faults", ())), ""),
    )


def _fault(line: Mapping[str, Any]) -> Fault:
    severity = Severity(line.get("severity", "unknown"))
    motion = Motion(line.get("motion", "unknown"))
    return Fault(
        code=line["code"],
        source="rule test",
        severity=severity,
        status=Status.ACTIVE,
        first_seen=_NOW - timedelta(hours=line.get("age_hours", 0)),
        last_seen=_NOW,
        returns=line.get("returns", 0),
        lamp=Lamp(line.get("lamp", "unknown")),
        motion=motion,
        stop_in_motion=motion is not Motion.PARKED,
    )
