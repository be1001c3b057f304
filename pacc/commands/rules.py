"""`pacc rules`: checks the rule set and runs its tests."""

import typer

from pacc.process.terminal import AsJson, print_facts
from prioritizer.features.catalogue import load_catalogue
from prioritizer.ranking.rules import check_rules, load_rules, test_rules

rules = typer.Typer(help="The rule set.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    rules.command("check")(check)
    rules.command("test")(run_tests)
    app.add_typer(rules, name="rules")


def check(as_json: AsJson = False) -> None:
    """Refuse a rule without one test that fires and one that does not."""
    rule_set = load_rules()
    _print_failures(len(rule_set.rules), check_rules(rule_set), as_json=as_json)


def run_tests(as_json: AsJson = False) -> None:
    """Run the tests that stand in the rule files."""
    rule_set = load_rules()
    _print_failures(len(rule_set.rules), test_rules(rule_set, load_catalogue()), as_json=as_json)


def _print_failures(number: int, failures: list[str], *, as_json: bool) -> None:
    print_facts({"rules": number, "failures": failures}, as_json=as_json)
    if failures:
        raise typer.Exit(1)
