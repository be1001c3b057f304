"""Ids are computed, never drawn: the same input gives the same id in every replay."""

from hashlib import blake2b
from typing import Final

# ISO 3779's letters of the model year, from 2010 on; they return every thirty years.
_YEARS: Final = {sign: 2010 + place for place, sign in enumerate("ABCDEFGHJKLMNPRSTVWXY123456789")}


def digest(*parts: str) -> str:
    """Return the hash of parts as 32 hexadecimal digits (BLAKE2b, 128 bits).

    Each part is preceded by its length in bytes, so that ('ab', 'c') and ('a', 'bc') differ.
    """
    spelled = "".join([f"{len(part)}:{part}" for part in parts])
    if spelled.isascii():  # a sign is a byte
        return blake2b(spelled.encode(), digest_size=16).hexdigest()
    encoded = [part.encode("utf-8", "surrogatepass") for part in parts]
    counted = b"".join([b"%d:%b" % (len(part), part) for part in encoded])
    return blake2b(counted, digest_size=16).hexdigest()


def task_id_of(case_id: str, number: int) -> str:
    """Return the id of the task that a case opened as its `number`-th, counted from 0."""
    return digest("task", case_id, str(number))


def model_year(vin: str) -> int | None:
    """Return the model year that a VIN's tenth sign stands for, 2010 to 2039 (ISO 3779).

    None where it stands for none, as with makers who put 0 there.
    """
    return _YEARS.get(vin[9])
