"""Reviews a rule set: would its tests notice if a rule were another, and can every rule fire?

Every comparison is changed a little: a bound by one (by a tenth where it is no count) up and down,
a word left out of a list, the whole comparison always true and always false. A change that every
test of the rule survives is a bound without a test on each side.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

import numpy as np

from models.documents.yaml import Source
from models.make import MAKES
from prioritizer.features.catalogue import Catalogue
from prioritizer.features.codes import Codes
from prioritizer.features.features import tabulate
from prioritizer.ranking.conditions import FIELDS, Facts, compile_condition
from prioritizer.ranking.rules import Rule, RuleSet, standing_of

_SHARE: Final = 0.1


def weak_tests(rule_set: RuleSet, catalogue: Catalogue) -> list[str]:
    """Name each change of a rule that none of its tests notices."""
    return [
        weakness
        for rule in rule_set.rules
        if rule.is_on and rule.tests
        for weakness in _weaknesses(rule, catalogue)
    ]


def dead_words(rule_set: RuleSet, catalogue: Catalogue) -> list[str]:
    """Name each tag that a rule asks for and each code of its tests that no entry has.

    A code of a scheme that the catalogue does not know stands for any unknown one and is left out.
    """
    tags = {tag for entry in catalogue.entries.values() for tag in entry.tags}
    schemes = {code.partition(":")[0] for code in catalogue.entries}
    return [
        line
        for rule in rule_set.rules
        for line in (*_dead_tags(rule, tags), *_dead_codes(rule, catalogue, schemes))
    ]


def _dead_tags(rule: Rule, tags: Collection[str]) -> Iterator[str]:
    for leaf, source in _leaves(rule.when, rule.source.at("when")):
        if FIELDS[leaf["field"]].kind == "tags":
            for tag in leaf["value"]:
                if tag not in tags:
                    yield f"{source}: {rule.rule_id}: no entry of the catalogue has the tag {tag}"


def _dead_codes(rule: Rule, catalogue: Catalogue, schemes: Collection[str]) -> Iterator[str]:
    for place, test in enumerate(rule.tests):
        for fault in test.get("faults", ()):
            code = fault["code"]
            is_known = any(catalogue.entry(code, make).is_catalogued for make in MAKES)
            if code.partition(":")[0] in schemes and not is_known:
                where = rule.source.at("tests", place)
                yield f"{where}: {rule.rule_id}: the catalogue has no entry for {code}"


def _leaves(node: Mapping[str, Any], source: Source) -> Iterator[tuple[Mapping[str, Any], Source]]:
    if "field" in node:
        yield node, source
    for name in ("all", "any"):
        for place, part in enumerate(node.get(name, ())):
            yield from _leaves(part, source.at(name, place))
    for name in ("not", "anywhere"):
        if name in node:
            yield from _leaves(node[name], source.at(name))


def _weaknesses(rule: Rule, catalogue: Catalogue) -> Iterator[str]:
    facts = Facts(tabulate([standing_of(test) for test in rule.tests], Codes(catalogue)))
    wanted = np.array([test["fires"] for test in rule.tests], dtype=np.bool_)
    for change, source, condition in _mutants(rule.when, rule.source.at("when")):
        compiled = compile_condition(condition, rule.source.at("when"))
        if (facts.rows(compiled(facts)) == wanted).all():
            yield f"{source}: {rule.rule_id}: no test fails when {change}"


def _mutants(node: Mapping[str, Any], source: Source) -> Iterator[tuple[str, Source, Any]]:
    """Yield what is changed, where, and the changed condition."""
    for name in ("all", "any"):
        for place, part in enumerate(node.get(name, ())):
            for change, where, mutant in _mutants(part, source.at(name, place)):
                others = [mutant if other is part else other for other in node[name]]
                yield change, where, {name: others}
    for name in ("not", "anywhere"):
        if name in node:
            for change, where, mutant in _mutants(node[name], source.at(name)):
                yield change, where, {name: mutant}
    if "field" in node:
        yield from _changed(node, source)


def _changed(leaf: Mapping[str, Any], source: Source) -> Iterator[tuple[str, Source, Any]]:
    field, value = leaf["field"], leaf["value"]
    said = f"{field} {leaf['op']} {'…' if isinstance(value, list) else value}"
    yield f"`{said}` is always true", source, {"any": [leaf, {"not": leaf}]}
    yield f"`{said}` is never true", source, {"all": [leaf, {"not": leaf}]}
    if isinstance(value, list):
        for word in value if len(value) > 1 else ():
            less = {**leaf, "value": [other for other in value if other != word]}
            yield f"`{said}` has no {word}", source.at("value"), less
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        is_count = FIELDS[field].kind == "int"
        step = 1 if is_count else _SHARE * abs(value) or 1
        least, most = FIELDS[field].bounds
        for moved in (value - step, value + step):
            if least <= moved <= most:
                change = f"{field} {leaf['op']} {value} becomes {moved:g}"
                yield change, source.at("value"), {**leaf, "value": moved}
