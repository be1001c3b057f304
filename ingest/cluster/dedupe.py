"""Which items of a batch have been delivered before, and which only look as if they had."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec.structs import replace

from models.batch import Content, Decoded, Item, Report
from models.ids import digest

# What is marked on an item whose id another content had before.
SHARED_ID: Final = "id"


def content_of(item: Item) -> Content:
    """Return what an item says; a snapshot says it of a scheme of codes.

    Its time counts where it is the sender's: a clock that is not to be believed is replaced by the
    time of receipt, and a document without an id is known by what it says.
    """
    if not isinstance(item, Report):
        return Content(item.vin, f"{item.scheme}:", "snapshot", "")
    alert = item.alert
    is_own = not item.clock_suspect and alert.id != item.fingerprint
    at = item.observed_at if is_own else None
    return Content(item.vin, alert.code, alert.status.value, alert.severity.value, at)


def fingerprints_of(decoded: Iterable[Decoded]) -> list[str]:
    """Collect the fingerprints that the store must be asked for, each once, sorted."""
    return sorted({item.fingerprint for one in decoded for item in one.items})


def apart_of(decoded: Iterable[Decoded], known: Mapping[str, Content]) -> list[str]:
    """Collect the fingerprints that items get whose own is known of another content, sorted."""
    again = (item for one in decoded for item in one.items if item.fingerprint in known)
    return sorted(
        {
            _apart(item, content)
            for item in again
            if not _is_same(known[item.fingerprint], content := content_of(item))
        }
    )


def _apart(item: Item, content: Content) -> str:
    at = content.at.isoformat() if content.at else ""
    return digest("apart", item.fingerprint, *content[:-1], at)


def _is_same(first: Content, second: Content) -> bool:
    """Return whether two contents are one; a time that is nobody's own is equal to any."""
    return first[:-1] == second[:-1] and (
        first.at == second.at or first.at is None or second.at is None
    )


class Deliveries:
    """What was delivered so far, by fingerprint: what the store knew, and what a batch brought."""

    def __init__(self, known: Mapping[str, Content]) -> None:
        self._seen = dict(known)

    def fresh(self, items: Iterable[Item]) -> Iterator[tuple[Item, bool]]:
        """Pair each item with whether this is its first delivery, and remember it.

        An id that had another vehicle, code, status, severity or time before is no second delivery:
        the sender numbers alarms by vehicle, or for their life, or began anew. To take that for a
        duplicate would lose an alert, so it is given a fingerprint of its own, and marked.
        """
        for item in items:
            mine = content_of(item)
            first = self._seen.setdefault(item.fingerprint, mine)
            if _is_same(first, mine):
                yield item, first is mine
            else:
                marks = tuple(sorted({*item.defaulted, SHARED_ID}))
                apart = replace(item, fingerprint=_apart(item, mine), defaulted=marks)
                yield apart, self._seen.setdefault(apart.fingerprint, mine) is mine
