"""The rule set: YAML in, one mask a rule over a whole batch out, with tests in the same file."""

import hashlib
import json
import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.case import Fault, Standing, Text, VehicleInfo
from models.words import Action, Lamp, Motion, Priority, Severity, Status
from models.yaml import read_yaml
from prioritizer.features.catalogue import Catalogue
from prioritizer.features.codes import Codes
from prioritizer.features.features import Columns, columns
from prioritizer.ranking.conditions import Condition, compile_condition
from prioritizer.ranking.sentences import NAMES

PLACEHOLDERS: Final = frozenset({"code", "title"}) | NAMES
_KEYS: Final = frozenset(
    {"id", "title", "status", "when", "floor", "action", "reason", "owner", "tests"}
)
_NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `floor` None: it opens no task, it only says an action."""

    rule_id: str
    title: Text
    is_on: bool
    condition: Condition
    floor: Priority | None
    action: Action
    reason: Text
    owner: str
    tests: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All rules in their order, and a version that changes with any of them."""

    rules: tuple[Rule, ...]
    version: str

    def fired(self, values: Columns, rows: int) -> NDArray[np.bool_]:
        """Return one boolean column a rule: shape (rows, rules)."""
        table = np.zeros((rows, len(self.rules)), dtype=np.bool_)
        for place, rule in enumerate(self.rules):
            if rule.is_on:
                table[:, place] = rule.condition(values)
        return table


def parse_rules(texts: Mapping[str, str]) -> RuleSet:
    """Read rule files (name → YAML). Raises `ValueError` with file and rule for a mistake."""
    rules: list[Rule] = []
    content = []
    for name in sorted(texts):
        documents = read_yaml(texts[name])
        content.append(documents)
        rules.extend(_parse(document, name) for document in documents)
    seen: set[str] = set()
    for rule in rules:
        if rule.rule_id in seen:
            raise ValueError(f"rules: {rule.rule_id} stands twice")
        seen.add(rule.rule_id)
    spelled = json.dumps(content, sort_keys=True, ensure_ascii=True)
    return RuleSet(tuple(rules), hashlib.sha256(spelled.encode()).hexdigest()[:12])


def load_rules() -> RuleSet:
    """Read the rule set that comes with the package."""
    folder = files("prioritizer.ranking").joinpath("rule_set")
    return parse_rules(
        {
            file.name: file.read_text("utf-8")
            for file in folder.iterdir()
            if file.name.endswith(".yaml")
        }
    )


def check_rules(rule_set: RuleSet) -> list[str]:
    """Return the rules that lack a test that fires or one that does not."""
    failures = []
    for rule in rule_set.rules:
        wanted = {bool(test["fires"]) for test in rule.tests}
        if wanted != {True, False}:
            failures.append(f"{rule.rule_id}: wants one test that fires and one that does not")
    return failures


def test_rules(rule_set: RuleSet, catalogue: Catalogue) -> list[str]:
    """Run every rule's own tests; return those that failed."""
    cases = [
        (place, rule, test)
        for place, rule in enumerate(rule_set.rules)
        if rule.is_on
        for test in rule.tests
    ]
    standings = [_standing(test) for _, _, test in cases]
    fired = rule_set.fired(columns(standings, Codes(catalogue)), len(standings))
    return [
        f"{rule.rule_id}: {test['name']}: {'fired' if fired[row, place] else 'did not fire'}"
        for row, (place, rule, test) in enumerate(cases)
        if bool(fired[row, place]) != test["fires"]
    ]


def _parse(document: Mapping[str, Any], name: str) -> Rule:
    where = f"{name}: {document.get('id', '(a rule without id)')}"
    missing, extra = _KEYS - document.keys(), document.keys() - _KEYS
    if missing or extra:
        raise ValueError(f"{where}: missing {sorted(missing)}, not known {sorted(extra)}")
    if document["status"] not in ("stable", "experimental", "off"):
        raise ValueError(f"{where}: status is stable, experimental or off")
    for line in document["reason"].values():
        used = {part[1] for part in string.Formatter().parse(line) if part[1]}
        if used - PLACEHOLDERS:
            raise ValueError(f"{where}: no placeholder {sorted(used - PLACEHOLDERS)[0]!r}")
    return Rule(
        rule_id=document["id"],
        title=Text(**document["title"]),
        is_on=document["status"] != "off",
        condition=compile_condition(document["when"], where),
        floor=Priority(document["floor"]) if document["floor"] else None,
        action=Action(document["action"]),
        reason=Text(**document["reason"]),
        owner=document["owner"],
        tests=tuple(document["tests"]),
    )


def _standing(test: Mapping[str, Any]) -> Standing:
    """Build the row of a rule's test."""
    return Standing(
        at=_NOW,
        faults=tuple(_fault(fault) for fault in test.get("faults", ())),
        info=VehicleInfo(powertrain=test.get("powertrain")),
        readings=test.get("readings", {}),
        is_repeat_repair=test.get("repeat_repair", False),
    )


def _fault(document: Mapping[str, Any]) -> Fault:
    severity = Severity(document.get("severity", "unknown"))
    motion = Motion(document.get("motion", "unknown"))
    return Fault(
        code=document["code"],
        source="rule test",
        severity=severity,
        status=Status.ACTIVE,
        first_seen=_NOW - timedelta(hours=document.get("age_hours", 0)),
        last_seen=_NOW,
        count=document.get("reports", 1),
        lamp=Lamp(document.get("lamp", "unknown")),
        motion=motion,
        stop_in_motion=motion is not Motion.PARKED,
    )
