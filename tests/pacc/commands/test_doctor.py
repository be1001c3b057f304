"""`pacc doctor`: what is missing, and how to get it."""

import json
from pathlib import Path

from tests.support.commands import run_pacc
from tests.worlds import SAMPLE_DESKS


def test_doctor_says_what_is_missing_and_how_to_get_it(tmp_path: Path) -> None:
    env = {"PACC_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    sick = run_pacc(tmp_path, "doctor", "--json", **env)
    assert sick.returncode == 1
    run_pacc(tmp_path, "migrate")
    well = run_pacc(tmp_path, "doctor", "--json", **env)
    assert well.returncode == 0
    checks = {check["name"]: check for check in json.loads(well.stdout)["checks"]}
    assert checks["database and schema"]["ok"]
    assert "pacc desk import" in checks["desks"]["detail"]
    assert "cannot be reached" in checks["Kafka and topics"]["detail"]
    run_pacc(tmp_path, "desk", "import", str(SAMPLE_DESKS))
    again = json.loads(run_pacc(tmp_path, "doctor", "--json", **env).stdout)["checks"]
    assert {check["name"]: check["detail"] for check in again}["desks"] == "60 dealer, 12 roadside"
