"""The first minutes of a new user, and a database that is of another version."""

import json
import sqlite3
from pathlib import Path

from ingest.tape import write_tape
from models.tables.base import SCHEMA_REVISION
from tests.support.commands import run_pacc
from tests.worlds import CAR, Stream


def test_a_new_users_first_minutes(tmp_path: Path) -> None:
    write_tape(
        Stream().says(CAR, "dtc:P0C01", severity="stop").raw(b"{").records, tmp_path / "tape.jsonl"
    )
    early = run_pacc(tmp_path, "ledger")
    assert (early.returncode, early.stderr) == (
        4,
        "pacc: The database has no schema yet, "
        f"this program needs {SCHEMA_REVISION}: run `pacc migrate`.\n",
    )
    revision = json.loads(run_pacc(tmp_path, "migrate", "--json").stdout)["revision"]
    assert revision == SCHEMA_REVISION
    played = json.loads(run_pacc(tmp_path, "replay", "tape.jsonl", "--json").stdout)
    assert played["outcomes"] == {"opened": 1, "quarantined": 1}
    (case,) = json.loads(run_pacc(tmp_path, "case", "list", "--json").stdout)
    assert (case["priority"], case["ranked_by"], case["tasks"][0]["queue"]) == (
        "urgent",
        "rules",
        "roadside",
    )
    assert json.loads(run_pacc(tmp_path, "quarantine", "list", "--json").stdout)[0]["offset"] == 1
    assert json.loads(run_pacc(tmp_path, "ledger", "--json").stdout)["reconciled"] is True
    assert run_pacc(tmp_path, "doctor").returncode == 0


def test_a_database_of_another_version_is_left_alone(tmp_path: Path) -> None:
    run_pacc(tmp_path, "migrate")
    with sqlite3.connect(tmp_path / "pacc.db") as connection:
        connection.execute("update alembic_version set version_num = '0999'")
    connection.close()
    for command in ("migrate", "ledger"):
        refused = run_pacc(tmp_path, command)
        assert (refused.returncode, "0999" in refused.stderr) == (4, True)
        assert "Traceback" not in refused.stderr
