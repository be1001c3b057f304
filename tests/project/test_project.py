"""The edges: settings, tapes, commands, documents."""

import json
import logging
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import structlog
from fastapi.routing import APIRoute
from typer.testing import CliRunner

from dispatch.api import reading
from ingest.cluster.fold import fold, parse_causes
from ingest.source import StreamPosition
from ingest.tape import TapeBroken, TapeSource, read_tape, write_tape
from models.batch import Partition
from models.errors import SettingsInvalid
from models.words import Outcome, Reject
from pacc.cli import app
from pacc.process.logs import set_up_logs
from pacc.process.settings import Settings, load_settings, masked
from pacc.watch.metrics import Metrics
from tests.worlds import CAR, SAMPLE_DESKS, Stream, policy

DOCS = Path(__file__).parents[2] / "docs"


def test_a_mistyped_setting_is_refused_with_the_nearest_right_one() -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load_settings({"PACC_DATABSE_URL": "x", "PACC_HEAL_AFTER": "30"})
    assert str(refused.value).splitlines()[1:] == [
        "  PACC_DATABSE_URL is no setting; did you mean PACC_DATABASE_URL?",
        "  PACC_HEAL_AFTER: Value error, a duration carries its unit: 30s, 15m, 2h, 30d",
    ]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PACC_TOPICS", '{"pacc.alerts": "bmw"}', "write it as topic: format"),
        ("PACC_TOPICS", "pacc.alerts: xml", "xml is no format; there are"),
        ("PACC_HEAL_AFTER", "99999999999999d", "longer than time itself"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused_in_words(name: str, value: str, said: str) -> None:
    with pytest.raises(SettingsInvalid, match=said):
        load_settings({name: value})


def test_a_password_in_the_query_of_an_address_is_masked_too() -> None:
    settings = load_settings({"PACC_DATABASE_URL": "postgresql://db/pacc?password=hunter2"})
    assert "hunter2" not in str(masked(settings))


def test_settings_are_read_and_their_password_is_never_shown() -> None:
    settings = load_settings(
        {"PACC_DATABASE_URL": "postgresql://me:hunter2@db/pacc", "PACC_TOPICS": "a: bmw, b: obd"}
    )
    assert settings.topics == {"a": "bmw", "b": "obd"}
    assert "hunter2" not in str(masked(settings))


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("settings.md", [f"PACC_{name.upper()}" for name in Settings.model_fields]),
        ("reason-codes.md", [*Outcome, *Reject]),
    ],
)
def test_every_word_has_its_line_in_the_documents(document: str, words: list[str]) -> None:
    text = (DOCS / document).read_text("utf-8")
    assert [word for word in words if f"| `{word}` |" not in text] == []


def test_every_command_stands_in_the_documents() -> None:
    text = (DOCS / "commands.md").read_text("utf-8")
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).stdout
    names = re.findall(r"^│ (\w+) ", shown, re.MULTILINE)
    assert len(names) > 15
    for command in names:
        assert f"`pacc {command}" in text, command


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz", ".jsonl.zst"])
def test_a_tape_keeps_every_byte(tmp_path: Path, suffix: str) -> None:
    records = Stream().says(CAR, "a:1").raw(b"\xff\x00").raw(None, key=b"\xfe").records
    tape = tmp_path / f"tape{suffix}"
    assert write_tape(records, tape) == 3
    assert list(read_tape(tape)) == records


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '{"topic": "t"}',
        '{"topic":"t","partition":0,"offset":0,"timestamp":0,"value_base64":"!"}',
    ],
)
def test_a_broken_line_is_named_and_nothing_is_skipped(tmp_path: Path, line: str) -> None:
    tape = tmp_path / "tape.jsonl"
    write_tape(Stream().says(CAR, "a:1").records, tape)
    tape.write_text(tape.read_text("utf-8") + line + "\n", "utf-8")
    with pytest.raises(TapeBroken, match="line 2"):
        list(read_tape(tape))


def test_tapes_that_begin_anew_are_taken_anew(tmp_path: Path) -> None:
    tape, taken = tmp_path / "tape.jsonl", []
    write_tape(Stream().says(CAR, "a:1").says(CAR, "a:2").records, tape)

    def take(
        partition: Partition, start: int | None, topic_id: str | None = None, **_: bool
    ) -> StreamPosition:
        taken.append((partition.topic, start))
        return StreamPosition(start or 0, 1)

    source = TapeSource([tape, tape], take=take)
    batches = [source.poll(10), source.poll(10), source.poll(10)]
    assert [len(batch) for batch in batches] == [2, 2, 0]
    assert source.is_at_end()
    assert taken == [("pacc.alerts", 0), ("pacc.alerts", 0)]


def test_the_cause_graph_is_large_enough_and_never_folds_a_stop() -> None:
    graph = policy().grouping.graph
    assert len(graph.causes) >= 12
    from tests.prioritizer.ranking.test_rules import STOP, fault  # noqa: PLC0415 - one helper of another test

    held = {one.code: one for one in (fault("dtc:P0562"), fault("dtc:U0100", STOP))}
    assert fold(held, graph) == held


def test_a_mistake_in_the_cause_graph_is_named() -> None:
    with pytest.raises(ValueError, match="causes: x"):
        parse_causes(
            '[{"id": "x", "cause": ["a"], "symptoms": ["b"], "window": "soon",'
            ' "sentence": {"zh": "一", "en": "one"}}]'
        )


def pacc(folder: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a person would."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PACC_")}
    return subprocess.run(
        [sys.executable, "-m", "pacc.cli", *words],
        cwd=folder,
        env={**clean, **env},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_new_users_first_minutes(tmp_path: Path) -> None:
    write_tape(
        Stream().says(CAR, "dtc:P0C01", severity="stop").raw(b"{").records, tmp_path / "tape.jsonl"
    )
    early = pacc(tmp_path, "ledger")
    assert (early.returncode, early.stderr) == (
        4,
        "pacc: The database has no schema yet, this program needs 0008: run `pacc migrate`.\n",
    )
    assert json.loads(pacc(tmp_path, "migrate", "--json").stdout) == {"revision": "0008"}
    played = json.loads(pacc(tmp_path, "replay", "tape.jsonl", "--json").stdout)
    assert played["outcomes"] == {"opened": 1, "quarantined": 1}
    (case,) = json.loads(pacc(tmp_path, "case", "list", "--json").stdout)
    assert (case["priority"], case["ranked_by"], case["tasks"][0]["queue"]) == (
        "urgent",
        "rules",
        "roadside",
    )
    assert json.loads(pacc(tmp_path, "quarantine", "list", "--json").stdout)[0]["offset"] == 1
    assert json.loads(pacc(tmp_path, "ledger", "--json").stdout)["reconciled"] is True
    assert pacc(tmp_path, "doctor").returncode == 0


def test_a_database_of_another_version_is_left_alone(tmp_path: Path) -> None:
    pacc(tmp_path, "migrate")
    with sqlite3.connect(tmp_path / "pacc.db") as connection:
        connection.execute("update alembic_version set version_num = '0999'")
    connection.close()
    for command in ("migrate", "ledger"):
        refused = pacc(tmp_path, command)
        assert (refused.returncode, "0999" in refused.stderr) == (4, True)
        assert "Traceback" not in refused.stderr


def test_outages_are_one_sentence_and_exit_code_5(tmp_path: Path) -> None:
    down = pacc(tmp_path, "migrate", PACC_DATABASE_URL="postgresql://a:secret@127.0.0.1:1/b")
    assert down.returncode == 5
    assert "cannot be used" in down.stderr
    assert "Traceback" not in down.stderr
    assert "secret" not in down.stderr
    wrong = pacc(tmp_path, "migrate", PACC_DATABASE="x")
    assert wrong.returncode == 4
    assert "did you mean PACC_DATABASE_URL?" in wrong.stderr


def test_doctor_says_what_is_missing_and_how_to_get_it(tmp_path: Path) -> None:
    env = {"PACC_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    sick = pacc(tmp_path, "doctor", "--json", **env)
    assert sick.returncode == 1
    pacc(tmp_path, "migrate")
    well = pacc(tmp_path, "doctor", "--json", **env)
    assert well.returncode == 0
    found = {check["name"]: check for check in json.loads(well.stdout)["checks"]}
    assert found["database and schema"]["ok"]
    assert "pacc desk import" in found["desks"]["detail"]
    assert "cannot be reached" in found["Kafka and topics"]["detail"]
    pacc(tmp_path, "desk", "import", str(SAMPLE_DESKS))
    again = json.loads(pacc(tmp_path, "doctor", "--json", **env).stdout)["checks"]
    assert {check["name"]: check["detail"] for check in again}["desks"] == "60 dealer, 12 roadside"


def test_an_outage_of_kafka_is_one_sentence_and_exit_code_5(tmp_path: Path) -> None:
    pacc(tmp_path, "migrate")
    for words in (
        ("run", "--until-end"),
        ("scout", "--until-end"),
        ("tend", "--once"),
        ("simulate", "--vehicles", "5", "--topic", "t"),
    ):
        down = pacc(tmp_path, *words, PACC_KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1")
        assert down.returncode == 5, words
        assert "Kafka at 127.0.0.1:1 cannot be reached" in down.stderr
        assert "Traceback" not in down.stderr


def test_no_log_line_shows_a_vin(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    try:
        for form in ("text", "json"):
            set_up_logs(form, "info")
            structlog.get_logger("ours").info(f"seen {CAR}", vin=CAR, many=[{CAR: CAR}])
            logging.getLogger("theirs").warning("GET /v1/vehicles/%s/silences", CAR)
            logging.getLogger("theirs").info('"GET %s HTTP/1.1"', "/card/Ab_9-x")
            try:
                int(CAR)
            except ValueError:
                structlog.get_logger("ours").exception("failed")
    finally:
        root.handlers, root.level = handlers, level
        structlog.reset_defaults()
    shown = capsys.readouterr().err
    assert shown.count("LBV**********0001") >= 8
    assert CAR not in shown
    assert shown.count("/card/…") == 2
    assert "Ab_9-x" not in shown


def test_every_metric_stands_in_the_documents() -> None:
    text = (DOCS / "metrics.md").read_text("utf-8")
    for metric in Metrics().registry.collect():
        assert f"`{metric.name}" in text


def test_every_route_stands_in_the_documents() -> None:
    text = (DOCS / "api.md").read_text("utf-8")
    found = {
        re.sub(r"{\w+}", "ID", route.path)
        for route in (*reading.router.routes,)
        if isinstance(route, APIRoute)
    }
    assert {path for path in found if f"{path}`" not in text} == set()
