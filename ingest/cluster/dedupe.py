"""Which items of a batch have been delivered before, and which only look as if they had."""

from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import replace

from models.batch import Decoded, Item, Report
from models.ids import digest

# What an alert is about: its vehicle and its code.
About = tuple[str, str]


def about(item: Item) -> About:
    """Return what an item is about; a snapshot is about a scheme of codes."""
    if isinstance(item, Report):
        return item.vin, item.alert.code
    return item.vin, f"{item.scheme}:"


def fingerprints_of(decoded: Iterable[Decoded]) -> list[str]:
    """Collect the fingerprints that the store must be asked for, each once, sorted."""
    return sorted({item.fingerprint for one in decoded for item in one.items})


def apart_of(decoded: Iterable[Decoded], known: Mapping[str, About]) -> list[str]:
    """Collect the fingerprints that items get whose own is known of another alert, sorted."""
    again = (item for one in decoded for item in one.items if item.fingerprint in known)
    return sorted({_apart(item) for item in again if known[item.fingerprint] != about(item)})


def _apart(item: Item) -> str:
    return digest("apart", item.fingerprint, *about(item))


class Deliveries:
    """What was delivered so far, by fingerprint: what the store knew, and what a batch brought."""

    def __init__(self, known: Mapping[str, About]) -> None:
        self._seen = dict(known)

    def fresh(self, items: Iterable[Item]) -> Iterator[tuple[Item, bool]]:
        """Pair each item with whether this is its first delivery, and remember it.

        An id that was given to another vehicle or code before is no second delivery: the sender
        counts for each vehicle by itself, or began anew. To take that for a duplicate would lose an
        alert, so it is given a fingerprint of its own.
        """
        for item in items:
            mine = about(item)
            first = self._seen.setdefault(item.fingerprint, mine)
            if first == mine:
                yield item, first is mine
            else:
                apart = replace(item, fingerprint=_apart(item))
                yield apart, self._seen.setdefault(apart.fingerprint, mine) is mine
