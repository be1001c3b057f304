"""The rule set: YAML in, one mask a rule over a whole batch out, with tests in the same file."""

import hashlib
import json
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
from prioritizer.features.features import tabulate
from prioritizer.ranking.conditions import Condition, Facts, compile_condition
from prioritizer.ranking.sentences import FAULT, NAMES, names_in

PLACEHOLDERS: Final = NAMES | {FAULT}
_KEYS: Final = frozenset(
    {"id", "title", "status", "when", "floor", "action", "reason", "owner", "tests"}
)
_MAY_HAVE: Final = frozenset({"general"})
_NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, which fires for a fault. `floor` None: it gives no task, only a word. A general one
    is silent on a fault of which another rule knows more."""

    rule_id: str
    title: Text
    is_on: bool
    condition: Condition
    floor: Priority | None
    action: Action
    reason: Text
    owner: str
    tests: tuple[Mapping[str, Any], ...]
    is_general: bool = False


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
    facts = Facts(tabulate(standings, Codes(catalogue)))
    fired = rule_set.fired(facts)
    return [
        f"{rule.rule_id}: {test['name']}: {'did not fire' if test['fires'] else 'fired'}"
        for row, (place, rule, test) in enumerate(cases)
        if bool(facts.rows(fired[:, place])[row]) != test["fires"]
    ]


def _parse(document: Mapping[str, Any], name: str) -> Rule:
    where = f"{name}: {document.get('id', '(a rule without id)')}"
    missing = _KEYS - document.keys()
    extra = document.keys() - _KEYS - _MAY_HAVE
    if missing or extra:
        raise ValueError(f"{where}: missing {sorted(missing)}, not known {sorted(extra)}")
    if document["status"] not in ("stable", "experimental", "off"):
        raise ValueError(f"{where}: status is stable, experimental or off")
    for line in document["reason"].values():
        unknown = names_in(line) - PLACEHOLDERS
        if unknown:
            raise ValueError(f"{where}: no placeholder {sorted(unknown)[0]!r}")
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
        is_general=document.get("general", False),
    )


def _standing(test: Mapping[str, Any]) -> Standing:
    """Build the row of a rule's test."""
    return Standing(
        at=_NOW,
        faults=tuple(_fault(fault) for fault in test.get("faults", ())),
        info=VehicleInfo(powertrain=test.get("powertrain")),
        readings=test.get("readings", {}),
        root=next((fault["code"] for fault in test.get("faults", ())), ""),
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
