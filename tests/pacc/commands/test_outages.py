"""Outages as a person at a terminal meets them: one sentence, exit code 5, no traceback."""

from pathlib import Path

from tests.support.commands import run_pacc


def test_outages_are_one_sentence_and_exit_code_5(tmp_path: Path) -> None:
    down = run_pacc(tmp_path, "migrate", PACC_DATABASE_URL="postgresql://a:secret@127.0.0.1:1/b")
    assert down.returncode == 5
    assert "cannot be used" in down.stderr
    assert "Traceback" not in down.stderr
    assert "secret" not in down.stderr
    wrong = run_pacc(tmp_path, "migrate", PACC_DATABASE="x")
    assert wrong.returncode == 4
    assert "did you mean PACC_DATABASE_URL?" in wrong.stderr


def test_an_outage_of_kafka_is_one_sentence_and_exit_code_5(tmp_path: Path) -> None:
    run_pacc(tmp_path, "migrate")
    for words in (
        ("run", "--until-end"),
        ("scout", "--until-end"),
        ("tend", "--once"),
        ("simulate", "--vehicles", "5", "--topic", "t"),
    ):
        down = run_pacc(tmp_path, *words, PACC_KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1")
        assert down.returncode == 5, words
        assert "Kafka at 127.0.0.1:1 cannot be reached" in down.stderr
        assert "Traceback" not in down.stderr
