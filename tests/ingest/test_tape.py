"""Tapes: every byte is kept, a broken line is named, and a tape that begins anew is taken anew."""

from pathlib import Path

import pytest

from ingest.source import StreamPosition
from ingest.tape import TapeBroken, TapeSource, read_tape, write_tape
from models.batch import Partition
from tests.worlds import CAR, Stream


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
