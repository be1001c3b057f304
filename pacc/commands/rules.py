"""`pacc rules`: checks the rule set and runs its tests."""

import typer

from pacc.process.terminal import AsJson, print_facts
from prioritizer.features.catalogue import Catalogue, load_catalogue
from prioritizer.ranking.rule_review import dead_words, weak_tests
from prioritizer.ranking.rules import RuleSet, check_rules, load_rules, test_rules

rules = typer.Typer(help="The rule set.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    rules.command("check")(check)
    rules.command("test")(run_tests)
    app.add_typer(rules, name="rules")


def check(as_json: AsJson = False) -> None:
    """Refuse a rule whose tests would not notice a moved bound; say what the catalogue covers."""
    rule_set, catalogue = load_rules(), load_catalogue()
    failures = [*check_rules(rule_set), *weak_tests(rule_set, catalogue)]
    _report(rule_set, catalogue, failures, as_json=as_json)


def run_tests(as_json: AsJson = False) -> None:
    """Run the tests that stand in the rule files, and refuse what they would not notice."""
    rule_set, catalogue = load_rules(), load_catalogue()
    failures = [*test_rules(rule_set, catalogue), *weak_tests(rule_set, catalogue)]
    _report(rule_set, catalogue, failures, as_json=as_json)


def _report(rule_set: RuleSet, catalogue: Catalogue, failures: list[str], *, as_json: bool) -> None:
    warnings, coverage = dead_words(rule_set, catalogue), catalogue.coverage()
    print_facts(
        {
            "rules": len(rule_set.rules),
            "codes": sum(coverage.values()),
            "coverage": coverage,
            "warnings": warnings,
            "failures": failures,
        },
        as_json=as_json,
    )
    if failures:
        raise typer.Exit(1)
