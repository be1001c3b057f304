"""Which items of a batch have been delivered before, and which only look as if they had."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from models.batch import Decoded, Item, Rejected, Report
from models.words import Outcome, Reject

# What an alert is about: its vehicle and its code.
About = tuple[str, str]
_AGAIN: Final = Outcome.DUPLICATE
_OTHER: Final = Outcome.QUARANTINED


def fingerprints_of(decoded: Iterable[Decoded]) -> list[str]:
    """Collect the fingerprints that the store must be asked for, each once, sorted."""
    return sorted({item.fingerprint for one in decoded for item in one.items})


def about(item: Item) -> About:
    """Say what an item is about; a snapshot is about a scheme of codes."""
    if isinstance(item, Report):
        return item.alert.vin, item.alert.code
    return item.vin, f"{item.scheme}:"


class Deliveries:
    """What was delivered so far, by fingerprint: what the store knew, and what a batch brought."""

    def __init__(self, known: Mapping[str, About]) -> None:
        self._seen = dict(known)

    def judged(self, items: Iterable[Item]) -> Iterator[tuple[Item, Outcome | None]]:
        """Pair each item with how it ends if this is not its first delivery, and remember it.

        An id that was given to another vehicle or code before is no second delivery: a sender
        counts anew, or for each vehicle by itself. To take that for a duplicate would lose it.
        """
        for item in items:
            mine = about(item)
            held = self._seen.setdefault(item.fingerprint, mine)
            if held is mine:
                yield item, None
            else:
                yield item, _AGAIN if held == mine else _OTHER

    def others(self, items: Iterable[Item]) -> list[Item]:
        """Give the items whose id another alert has, and remember the rest."""
        return [item for item, judged in self.judged(items) if judged is _OTHER]


def id_taken(item: Item) -> Rejected:
    """Say why an item went to quarantine whose id another alert has."""
    vin, code = about(item)
    return Rejected(
        Reject.ID_TAKEN, f"the id of this alert of {vin}, {code}, was given to another one before"
    )
