"""Header names that are no UTF-8: kafka-python refuses such a record and all that is behind it."""

from typing import Any, Final

from kafka.record.default_records import DefaultRecordBatch
from kafka.record.util import decode_varint

_ASCII: Final = bytes(byte if chr(byte).isascii() else ord("?") for byte in range(0x100))
_strictly: Final = DefaultRecordBatch._read_msg


def read_any_name() -> None:
    """Let consumers read every record: in a name that is no UTF-8, `?` stands for each odd byte."""
    DefaultRecordBatch._read_msg = _read


def _read(batch: Any) -> Any:
    """Read the next record of a batch; the library moves on only once it is read."""
    try:
        return _strictly(batch)
    except UnicodeDecodeError:
        _respell(batch._buffer, batch._pos)
        return _strictly(batch)


def _respell(buffer: bytearray, at: int) -> None:
    """Make the header names of the record at `at` readable, each as long as it was."""
    for _ in ("length", "attributes", "timestamp", "offset"):
        _, at = decode_varint(buffer, at)
    for _ in ("key", "value"):
        at = _end(buffer, at)[1]
    count, at = decode_varint(buffer, at)
    for _ in range(count):
        start, end = _end(buffer, at)
        name = buffer[start:end]
        if not _is_utf8(name):
            buffer[start:end] = name.translate(_ASCII)
        at = _end(buffer, end)[1]


def _end(buffer: bytearray, at: int) -> tuple[int, int]:
    """Return where the bytes that stand at `at` behind their length begin and end."""
    size, start = decode_varint(buffer, at)
    return start, start + max(size, 0)


def _is_utf8(name: bytearray) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True
