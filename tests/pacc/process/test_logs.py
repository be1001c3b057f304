"""Logs: no line shows a VIN or the path of a card."""

import logging

import pytest
import structlog

from pacc.process.logs import set_up_logs
from tests.worlds import CAR


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
