"""A rule set is reviewed: weak tests, dead words, and mistakes that name file, line and field."""

import copy
import re
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any, Final

import pytest
import typer
import yaml
from typer.testing import CliRunner

from models.documents.yaml import read_yaml
from models.errors import Mistake
from pacc.commands import rules as command
from prioritizer.features.catalogue import load_catalogue, parse_catalogue
from prioritizer.ranking.rule_review import dead_words, weak_tests
from prioritizer.ranking.rules import RuleSet, check_rules, load_rules, parse_rules
from prioritizer.ranking.rules import test_rules as run_rule_tests


def app() -> typer.Typer:
    """The command line that `pacc rules` is on, with nothing else."""
    line = typer.Typer()
    command.add_to(line)
    return line


CATALOGUE: Final = load_catalogue()
FOLDER: Final = files("prioritizer.ranking").joinpath("rule_set")


def changed(name: str, old: str, new: str) -> RuleSet:
    """The shipped rules of a file with one change."""
    text = FOLDER.joinpath(name).read_text("utf-8")
    assert old in text
    return parse_rules({name: text.replace(old, new)})


def test_the_shipped_rules_have_a_test_on_each_side_of_every_bound() -> None:
    assert weak_tests(load_rules(), CATALOGUE) == []
    assert dead_words(load_rules(), CATALOGUE) == []


@pytest.mark.parametrize(
    ("rule", "old", "new"),
    [
        ("three-limited", '"limiteds", "op": "at_least", "value": 3', "2"),
        ("three-limited", '"limiteds", "op": "at_least", "value": 3', "4"),
        ("flicker-limited", '"returns", "op": "at_least", "value": 3', "2"),
        ("flicker-limited", '"returns", "op": "at_least", "value": 3', "4"),
        ("frost-weak-12v", '"ambient_c", "op": "below", "value": -5', "-8"),
    ],
)
def test_a_bound_that_moves_fails_a_test(rule: str, old: str, new: str) -> None:
    moved = old.rpartition(" ")[0] + f" {new}"
    failures = run_rule_tests(changed("combinations.yaml", old, moved), CATALOGUE)
    assert any(f": {rule}: " in line for line in failures)


RULE: Final = """
- id: r
  title: {zh: 一, en: one}
  status: stable
  when: {%s}
  floor: high
  action: visit_soon
  reason: {zh: 一, en: one}
  owner: dealer
  tests:
    - {name: fires, faults: [{code: "dtc:P0A80", severity: limited, motion: moving,
        lamp: amber, age_hours: 1, returns: 2}], readings: {%s}, powertrain: bev, make: BMW,
        repeat_repair: false, fires: true}
    - {name: does not, faults: [{code: "cbs:OIL", severity: service}], readings: {%s}, fires: false}
"""


@pytest.mark.parametrize(
    ("when", "yes", "no", "words"),
    [
        ("field: speed_kph, op: above, value: 80", "speed_kph: 110", "speed_kph: 30", "becomes 72"),
        ("field: speed_kph, op: above, value: 80", "speed_kph: 110", "speed_kph: 80", "becomes 88"),
        ("field: limiteds, op: at_least, value: 1", "", "", "never true"),
        ("field: tags, op: has_any, value: [hv_battery_cell, abs]", "", "", "has no abs"),
        (
            "all: [{field: limiteds, op: at_least, value: 1},"
            " {field: electric, op: is, value: false}]",
            "",
            "",
            "`electric is False` is always true",
        ),
        (
            "not: {any: [{field: limiteds, op: below, value: 1},"
            " {field: stops, op: above, value: 0}]}",
            "",
            "",
            "stops above 0 becomes 1",
        ),
    ],
)
def test_what_no_test_notices_is_named(when: str, yes: str, no: str, words: str) -> None:
    weak = weak_tests(parse_rules({"r.yaml": RULE % (when, yes, no)}), CATALOGUE)
    if words == "never true":  # both sides are there
        assert weak == []
    else:
        assert any(words in line for line in weak)
        assert all(re.match(r"r\.yaml:5: r: no test fails when ", line) for line in weak)


def test_a_tag_and_a_code_that_no_entry_has_are_warned_of() -> None:
    rule = RULE % ("field: tags, op: has_any, value: [driver_assistance]", "", "")
    rule = rule.replace("dtc:P0A80", "dtc:P0AFF")
    assert dead_words(parse_rules({"r.yaml": rule}), CATALOGUE) == [
        "r.yaml:5: r: no entry of the catalogue has the tag driver_assistance",
        "r.yaml:11: r: the catalogue has no entry for dtc:P0AFF",
    ]
    unheard = RULE.replace("dtc:P0A80", "x:new") % (
        "field: severity, op: is, value: limited",
        "",
        "",
    )
    assert dead_words(parse_rules({"r.yaml": unheard}), CATALOGUE) == []


def test_a_rule_that_no_car_can_fulfil_is_refused() -> None:
    with pytest.raises(Mistake, match=r"r\.yaml:5: r: when.value: speed_kph is 0 to 500"):
        parse_rules({"r.yaml": RULE % ("field: speed_kph, op: above, value: 600", "", "")})


ENTRY: Final = """
"dtc:P0A80": {system: high_voltage, severity: limited, title: [一, one],
  tags: [hv_battery_cell], also: ["x:1"]}
"dtc:P1A0E": {system: body, title: [一, one], make: BMW}
"""
GOOD_RULE: Final = RULE % (
    "all: [{field: severity, op: is, value: limited},"
    " {not: {field: tags, op: has_any, value: [abs]}}]",
    "speed_kph: 3",
    "",
)
SPOILT: Final[tuple[Any, ...]] = (None, 1, -1.5, "", "magic", [], ["magic"], {}, {"a": 1}, True)


def spoilt(document: Any) -> Iterator[str]:
    """A document with each of its values in turn replaced by each wrong one, and left out."""
    for path in _paths(document):
        for wrong in SPOILT:
            other = copy.deepcopy(document)
            _put(other, path, wrong)
            yield yaml.safe_dump(other, allow_unicode=True)
        other = copy.deepcopy(document)
        _drop(other, path)
        yield yaml.safe_dump(other, allow_unicode=True)


def _paths(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, (dict, list)):
            yield from _paths(value, (*path, key))


def _put(node: Any, path: tuple[Any, ...], value: Any) -> None:
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value


def _drop(node: Any, path: tuple[Any, ...]) -> None:
    for step in path[:-1]:
        node = node[step]
    del node[path[-1]]


def refusals(document: Any, read: Callable[[str], object]) -> list[str]:
    """What is said of a document's spoilt forms, those that can be read left out."""
    said = []
    for text in spoilt(document):
        try:
            read(text)
        except Mistake as mistake:
            said.append(str(mistake))
    return said


def read_and_review(text: str) -> None:
    """Read a rule file and do all that the commands do with it."""
    rule_set = parse_rules({"r.yaml": text})
    weak_tests(rule_set, CATALOGUE)
    dead_words(rule_set, CATALOGUE)
    check_rules(rule_set)
    run_rule_tests(rule_set, CATALOGUE)


@pytest.mark.parametrize(
    ("document", "read", "form"),
    [
        (GOOD_RULE, read_and_review, r"r\.yaml:\d+: .+"),
        (ENTRY, parse_catalogue, r"catalogue\.yaml:\d+: .+"),
    ],
)
def test_a_spoilt_file_is_a_sentence_with_file_and_line(
    document: str, read: Callable[[str], object], form: str
) -> None:
    said = refusals(read_yaml(document), read)
    assert len(said) > 100
    assert [line for line in said if not re.fullmatch(form, line)] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "r.yaml:1: the file is empty"),
        ("[", "r.yaml:2: is no YAML: "),
        ("- {a: 1\n- b", "r.yaml:3: is no YAML: "),
        ("- id: \x00", "r.yaml:1: is no YAML: "),
        ("a: 1", "r.yaml:1: wants a list"),
        ("\n- 7", r"r.yaml:2: \[0\]: wants fields, not 7"),
        ("- id: x\n  id: y", r"r.yaml:2: \[0\].id: stands twice"),
        (GOOD_RULE.replace("visit_soon", "fly"), "r.yaml:7: r: action: no such word 'fly'"),
        (GOOD_RULE.replace("owner", "owned"), r"r.yaml:2: \[0\]: has no owner"),
        (GOOD_RULE + GOOD_RULE, "r.yaml:16: r: stands in r.yaml:2 too"),
    ],
)
def test_a_file_that_is_none_is_a_sentence(text: str, words: str) -> None:
    with pytest.raises(Mistake, match=words):
        parse_rules({"r.yaml": text})


def test_the_command_says_what_is_covered() -> None:
    for name in ("check", "test"):
        done = CliRunner().invoke(app(), ["rules", name])
        assert done.exit_code == 0
        assert "coverage: {" in done.stdout
        assert "warnings: []" in done.stdout


def test_the_command_refuses_a_weak_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    weak = parse_rules(
        {
            "r.yaml": RULE
            % ("field: speed_kph, op: above, value: 80", "speed_kph: 110", "speed_kph: 30")
        }
    )
    monkeypatch.setattr(command, "load_rules", lambda: weak)
    for name in ("check", "test"):
        done = CliRunner().invoke(app(), ["rules", name])
        assert done.exit_code == 1
        assert "r.yaml:5: r: no test fails when speed_kph above 80 becomes" in done.stdout
