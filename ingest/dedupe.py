"""Which items of a batch have been delivered before."""

from collections.abc import Iterable, Iterator

from models.batch import Decoded, Item


def fingerprints_of(decoded: Iterable[Decoded]) -> list[str]:
    """Collect the fingerprints that the store must be asked for, each once, sorted."""
    return sorted({item.fingerprint for one in decoded for item in one.items})


class Deliveries:
    """The fingerprints seen so far: those that the store knew, and those of this batch."""

    def __init__(self, known: Iterable[str]) -> None:
        self._seen = set(known)

    def fresh(self, items: Iterable[Item]) -> Iterator[tuple[Item, bool]]:
        """Pair each item with whether this is its first delivery, and remember it."""
        for item in items:
            is_new = item.fingerprint not in self._seen
            self._seen.add(item.fingerprint)
            yield item, is_new
