"""Ids are computed, never drawn: the same input gives the same id in every replay."""

from hashlib import blake2b


def digest(*parts: str) -> str:
    """Hash parts into 32 hexadecimal digits (BLAKE2b, 128 bits).

    Each part is preceded by its length, so that ('ab', 'c') and ('a', 'bc') differ.
    """
    hasher = blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        hasher.update(b"%d:" % len(data))
        hasher.update(data)
    return hasher.hexdigest()


def task_id_of(case_id: str, number: int) -> str:
    """Name the task that a case opened as its `number`-th, counted from 0."""
    return digest("task", case_id, str(number))
