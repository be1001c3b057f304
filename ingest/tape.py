"""Tapes: recorded streams as JSON Lines, plain or compressed."""

import base64
import binascii
import gzip
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, Any

import zstandard

from ingest.source import Take
from models.batch import Partition, Record
from models.errors import PaccError
from models.words import Feed


class TapeBroken(PaccError):
    """A line of a tape is not a record. The message names file and line."""


class TapeSource:
    """Plays tapes one after another. A partition that starts over is taken anew."""

    def __init__(self, paths: Sequence[Path], *, take: Take) -> None:
        self._records = chain.from_iterable(_marked(path) for path in paths)
        self._take = take
        self._next: dict[Partition, int] = {}
        self._ahead: tuple[bool, Record] | None = None
        self._is_at_end = False

    def poll(self, limit: int) -> list[Record]:
        """Return up to `limit` records; a batch ends where a partition starts over.

        Raises `TapeBroken` at a line that is no record.
        """
        batch: list[Record] = []
        while len(batch) < limit:
            item = self._ahead or next(self._records, None)
            self._ahead = None
            if item is None:
                self._is_at_end = True
                break
            is_first, record = item
            if is_first and batch:
                self._ahead = item
                break
            if is_first:
                self._next.clear()
            due = self._next.get(record.partition)
            if due is None or record.offset < due:
                if due is not None and batch:
                    self._ahead = item
                    break
                self._take(record.partition, record.offset)
            self._next[record.partition] = record.offset + 1
            batch.append(record)
        return batch

    def commit(self, positions: Mapping[Partition, int]) -> None:
        """Do nothing: nobody else reads a tape."""

    def is_at_end(self) -> bool:
        """Return whether the last tape has been played."""
        return self._is_at_end

    def lag(self, _positions: Mapping[Partition, int]) -> Mapping[Partition, int]:
        """Return nothing: no record of a tape is waited for."""
        return {}

    def close(self) -> None:
        """Do nothing: a file is closed when it has been read."""


def read_tape(path: Path) -> Iterator[Record]:
    """Yield the records of a tape. Raises `TapeBroken` with file and line for what is none."""
    with _opened(path) as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                yield _record(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                what = f"no field {error}" if isinstance(error, KeyError) else str(error)
                raise TapeBroken(
                    f"{path}, line {number}: not a record of a tape: {what}"
                ) from error


def write_tape(records: Iterable[Record], path: Path) -> int:
    """Write a tape and return its length; until it is whole it has another name."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    count = 0
    with _create(unfinished, path.name) as out:
        for record in records:
            out.write(line_of(record) + "\n")
            count += 1
    os.replace(unfinished, path)
    return count


def line_of(record: Record) -> str:
    """Return a record as one line of a tape."""
    line: dict[str, Any] = {
        "topic": record.partition.topic,
        "partition": record.partition.number,
        "offset": record.offset,
        "timestamp": record.timestamp,
        **_spelled("key", record.key),
        "headers": [_header(name, value) for name, value in record.headers],
        **_spelled("value", record.value),
    }
    return json.dumps(line, ensure_ascii=False)


def _marked(path: Path) -> Iterator[tuple[bool, Record]]:
    is_first = True
    for record in read_tape(path):
        yield is_first, record
        is_first = False


def _record(line: Mapping[str, Any]) -> Record:
    partition = Partition(Feed.TAPE, str(line["topic"]), int(line["partition"]))
    return Record(
        partition=partition,
        offset=int(line["offset"]),
        timestamp=int(line["timestamp"]),
        key=_bytes(line, "key"),
        value=_bytes(line, "value"),
        headers=tuple(_header_bytes(header) for header in line.get("headers", ())),
    )


def _spelled(name: str, value: bytes | None) -> dict[str, str | None]:
    if value is None:
        return {name: None}
    try:
        return {name: value.decode("utf-8")}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(value).decode("ascii")}


def _bytes(line: Mapping[str, Any], name: str) -> bytes | None:
    encoded = line.get(f"{name}_base64")
    if encoded is not None:
        try:
            return base64.b64decode(encoded, validate=True)
        except binascii.Error as error:
            message = f"{name}_base64 is not base64"
            raise ValueError(message) from error
    value = line[name] if name == "value" else line.get(name)
    return None if value is None else value.encode("utf-8", "surrogatepass")


def _header(name: str, value: bytes) -> list[str]:
    """Return name and value, and for a value that is not UTF-8 how it is spelled."""
    try:
        return [name, value.decode("utf-8")]
    except UnicodeDecodeError:
        return [name, base64.b64encode(value).decode("ascii"), "base64"]


def _header_bytes(header: Sequence[str]) -> tuple[str, bytes]:
    name, text, *how = header
    return name, base64.b64decode(text) if how else text.encode("utf-8", "surrogatepass")


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    try:
        with open(path, "rb") as raw:
            if path.name.endswith(".gz"):
                with gzip.open(raw, "rt", encoding="utf-8") as text:
                    yield text
            elif path.name.endswith(".zst"):
                with zstandard.ZstdDecompressor().stream_reader(raw) as plain:
                    yield io.TextIOWrapper(plain, encoding="utf-8")
            else:
                yield io.TextIOWrapper(raw, encoding="utf-8")
    except FileNotFoundError as error:
        raise TapeBroken(f"There is no tape {path}.") from error
    except (gzip.BadGzipFile, EOFError, zstandard.ZstdError, UnicodeDecodeError) as error:
        raise TapeBroken(f"{path} is damaged: {error}") from error


@contextmanager
def _create(path: Path, name: str) -> Iterator[IO[str]]:
    with open(path, "wb") as raw:
        if name.endswith(".gz"):
            with gzip.open(raw, "wt", encoding="utf-8") as text:
                yield text
        elif name.endswith(".zst"):
            with zstandard.ZstdCompressor().stream_writer(raw, closefd=False) as packed:
                text = io.TextIOWrapper(packed, encoding="utf-8", write_through=True)
                yield text
                text.flush()
        else:
            text = io.TextIOWrapper(raw, encoding="utf-8")
            yield text
            text.flush()
            text.detach()
