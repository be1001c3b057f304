"""What a kind of bad record says will become of it."""

from dataclasses import dataclass

from models.alert import MAX_VALUE_BYTES
from models.batch import Record
from models.words import Reject


@dataclass(frozen=True)
class Expected:
    """The reasons in quarantine, in order, and whether anything of the record goes on."""

    reasons: tuple[Reject, ...] = ()
    goes_on: bool = True


@dataclass(frozen=True)
class Poison:
    """One record of one kind, spelled for one form."""

    kind: str
    form: str
    record: Record
    expected: Expected


DECODED = Expected()


def refused(reason: Reject) -> Expected:
    """Nothing of the record is usable."""
    return Expected((reason,), goes_on=False)


def but(reason: Reject) -> Expected:
    """One part of the record is refused, the others go on."""
    return Expected((reason,))


def poison(kind: str, form: str, record: Record, expected: Expected) -> Poison:
    """Put a case of the corpus together; what is too large is that before anything else."""
    if record.value is not None and len(record.value) > MAX_VALUE_BYTES:
        expected = refused(Reject.TOO_LARGE)
    return Poison(kind, form, record, expected)
