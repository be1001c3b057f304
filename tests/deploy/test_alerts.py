"""The alarms and the dashboard: their names are ours, each alarm is tried, its runbook is there."""

import json
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from pathlib import Path
from shutil import copyfile, which
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from models.batch import Partition
from models.words import Feed, ModelRefusal, Outcome
from pacc.learn.champion import NEVER_PROMOTED
from pacc.process.clock import utc_now
from pacc.process.database import make_engine
from pacc.process.settings import load_settings
from pacc.watch.metrics import Metrics
from pacc.watch.watchdog import Behind, WatchdogReading
from prioritizer.model.registry import note_drift
from prioritizer.ranking.rank import load_ranker
from tests.conftest import missing

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
DASHBOARD = ROOT / "deploy" / "grafana" / "dashboards" / "pacc.json"

# Metric → label → its values.
Series = dict[str, dict[str, set[str]]]


def in_yaml(path: Path) -> Any:
    """Read a YAML file."""
    return yaml.safe_load(path.read_text("utf-8"))


JOBS = {one["job_name"] for one in in_yaml(PROMETHEUS / "prometheus.yml")["scrape_configs"]}
ALERTS: dict[str, dict[str, Any]] = {
    rule["alert"]: rule for rule in in_yaml(PROMETHEUS / "alerts.yml")["groups"][0]["rules"]
}
TARGETS = [
    target
    for panel in json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    for target in panel["targets"]
]
# Each expression, and the texts beside it that name its labels.
USES = [(rule["expr"], str(rule["annotations"])) for rule in ALERTS.values()]
USES += [(target["expr"], target.get("legendFormat", "")) for target in TARGETS]


def shows(metrics: Metrics, database: Path) -> Iterator[Metrics]:
    """Let metrics tell all that processes can tell; return them after each step that forgets."""
    engine = make_engine(f"sqlite:///{database}")
    drift = {"score": 0.1, "features": {"x": 0.1}, "new_codes": [], "calibration_error": None}
    with engine.begin() as connection:
        note_drift(connection, utc_now(), drift)
        metrics.read_database(connection, utc_now())
    engine.dispose()
    metrics.observe_watchdog(WatchdogReading(Behind({Partition(Feed.KAFKA, "t", 0): 1}), 0, 0))
    metrics.scout.observe_brought([1.0], {one.value: 1 for one in Outcome})
    metrics.observe_tend({"returned": 1}, sent=1)
    for status in HTTPStatus:
        metrics.observe_answer("GET", "tasks", status)
    for why in (NEVER_PROMOTED, *ModelRefusal):
        metrics.model.observe(replace(load_ranker(), fallback=str(why)))
        yield metrics


@pytest.fixture(scope="module")
def series(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Series:
    """All series of our processes as Prometheus knows them, and those of its own."""
    database = tmp_path_factory.mktemp("alerts") / "pacc.db"
    copyfile(migrated_sqlite, database)
    labels: Series = defaultdict(lambda: defaultdict(set))
    for metrics in shows(Metrics(), database):
        for sample in (one for metric in metrics.registry.collect() for one in metric.samples):
            labels[sample.name]["job"] |= JOBS
            for label, value in sample.labels.items():
                labels[sample.name][label].add(value)
    own = {label for rule in ALERTS.values() for label in re.findall(r"by \((\w+)\)", rule["expr"])}
    return {
        **labels,
        "up": {"job": JOBS},
        "ALERTS": {
            "alertname": set(ALERTS),
            "severity": {"page", "ticket"},
            "alertstate": {"firing"},
            **{label: set() for label in own},
        },
    }


def is_met(matcher: str, wanted: str, values: Iterable[str]) -> bool:
    """Whether a matcher names values that there are: each branch of a pattern meets one."""
    wants = wanted.split("|") if "~" in matcher else [re.escape(wanted)]
    return all(any(re.fullmatch(one, value) for value in values) for one in wants)


@pytest.mark.parametrize(("expression", "texts"), USES, ids=[expression for expression, _ in USES])
def test_every_name_in_an_expression_is_one_that_a_process_shows(
    expression: str, texts: str, series: Series
) -> None:
    selectors = re.findall(r"\b([a-zA-Z_]\w*)\{([^}]*)\}", expression)
    names = {name for name, _ in selectors}
    assert names == set(re.findall(r"\bpacc_\w+|\bup\b|\bALERTS\b", expression))
    assert names <= set(series)
    for name, matchers in selectors:
        for label, matcher, value in re.findall(r'(\w+)(=~|!~|!=|=)"([^"]*)"', matchers):
            assert is_met(matcher, value, series[name][label]), (name, label, value)
    labels = re.findall(r"{{\s*(?:\$labels\.)?(\w+)\s*}}", texts)
    for group in re.findall(r"by \(([^)]*)\)", expression):
        labels += group.split(", ")
    assert set(labels) <= {label for name in names for label in series[name]}


def test_every_alarm_says_how_urgent_it_is_and_what_to_do() -> None:
    for name, rule in ALERTS.items():
        assert rule["for"], name
        assert rule["labels"]["severity"] in ("page", "ticket"), name
        assert set(rule["annotations"]) == {"summary", "description", "runbook"}, name


def test_every_runbook_is_a_place_in_the_documents() -> None:
    for name, rule in ALERTS.items():
        path, _, anchor = rule["annotations"]["runbook"].partition("#")
        headings = re.findall(r"^#+ (.+)$", (ROOT / path).read_text("utf-8"), re.MULTILINE)
        places = {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}
        assert anchor in places, name


def test_every_alarm_stands_in_the_documents_with_its_urgency() -> None:
    text = (ROOT / "docs" / "metrics.md").read_text("utf-8")
    rows = re.findall(r"^\| `(Pacc\w+)` \| (\w+) \|", text, re.MULTILINE)
    assert dict(rows) == {name: rule["labels"]["severity"] for name, rule in ALERTS.items()}


def test_every_alarm_is_tried_once_where_it_fires_and_once_where_it_is_quiet() -> None:
    fires, quiet = set(), set()
    for test in in_yaml(PROMETHEUS / "alerts_test.yml")["tests"]:
        quiet |= {
            case["alertname"] for case in test["alert_rule_test"] if not case.get("exp_alerts")
        }
        for case in test.get("promql_expr_test", ()):
            assert case["expr"] == 'ALERTS{alertstate="firing"}'
            fires |= set(re.findall(r'alertname="(\w+)"', str(case["exp_samples"])))
    assert fires == quiet == set(ALERTS)


def test_the_canary_is_late_after_three_of_the_intervals_that_compose_sets() -> None:
    environment = in_yaml(ROOT / "docker-compose.yml")["services"]["tend"]["environment"]
    settings = load_settings({"PACC_CANARY_EVERY": environment["PACC_CANARY_EVERY"]})
    late = f"> {3 * settings.canary_every.total_seconds():g}"
    assert ALERTS["PaccCanaryLate"]["expr"].endswith(late)


def test_promtool_agrees_with_rules_their_tests_and_the_dashboard(tmp_path: Path) -> None:
    if which("promtool") is None:
        missing("promtool is not there: apt-get install --no-install-recommends prometheus")
    asked = [target["expr"].replace("$__rate_interval", "1m") for target in TARGETS]
    rules = [{"record": f"panel:{number}", "expr": one} for number, one in enumerate(asked)]
    dashboard = tmp_path / "dashboard.yml"
    dashboard.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    for words in (
        ("check", "config", PROMETHEUS / "prometheus.yml"),
        ("test", "rules", PROMETHEUS / "alerts_test.yml"),
        ("check", "rules", dashboard),
    ):
        done = subprocess.run(["promtool", *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
