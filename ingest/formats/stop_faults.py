"""Which records carry a stop fault: a cheap test on the bytes, and what of a record is one."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from ingest.cluster.voices import status_of
from ingest.formats.decode import DEFAULT_FORMAT, FORMAT_HEADER
from models.batch import Decoded, Item, Report
from models.canary import CANARY_VIN
from models.words import Lamp, Severity, Status

# The formats whose words stand in the record as they are: the test is proved for these alone.
TESTED_ON_BYTES: Final = frozenset({"cloudevents", "canonical"})
# Stop has many spellings and synonyms (`ingest/names/synonyms.py`), so what is looked for is the
# absence of a word that is none: a severity or a lamp whose value is not one of these as it stands.
_OTHER_WORD: Final = re.compile(
    rb'"(?:severity|lamp)"\s*+:\s*+'
    rb'(?!"(?:info|service|limited|unknown|off|malfunction|flashing|amber)"|null)'
)
# RFC 8259, section 7: besides the sign itself only `\\u00xx` spells a Latin letter, and the two
# names hold no other. CloudEvents may hide the whole alert in `data_base64`.
_HIDDEN: Final = (b"\\u00", b"data_base64")


class MayCarryStop:
    """Tests whether raw records may carry a stop fault. Never wrong where it says no."""

    def __init__(self, formats: Mapping[str, str]) -> None:
        self._formats = formats
        self._untested_topics = {
            topic for topic, name in formats.items() if name not in TESTED_ON_BYTES
        }

    def __call__(
        self, topic: str, value: bytes | None, headers: Sequence[tuple[str, bytes | None]]
    ) -> bool:
        """Test one record; in a format whose words are spelled otherwise, every record may."""
        if value is None:
            return False
        may_be_untested = bool(headers) or topic in self._untested_topics
        if may_be_untested and self._format(topic, headers) not in TESTED_ON_BYTES:
            return True
        escape, hidden = _HIDDEN
        return escape in value or hidden in value or _OTHER_WORD.search(value) is not None

    def _format(self, topic: str, headers: Sequence[tuple[str, bytes | None]]) -> str:
        for header, text in headers:
            if header == FORMAT_HEADER:
                return (text or b"").decode("utf-8", "replace")
        return self._formats.get(topic, DEFAULT_FORMAT)


def stops_of(decoded: Decoded) -> Decoded:
    """Return a record with only its stop faults: neither other reports nor what it clears."""
    kept = tuple(item for item in decoded.items if is_stop(item))
    return replace(decoded, items=kept, rejected=(), ignored_fields=0)


def is_stop(item: Item) -> bool:
    """Return whether an item makes a stop fault active, by the vehicle's word or by a red lamp.

    The canary is none: it is to show how long the ordinary way takes.
    """
    if not isinstance(item, Report) or item.vin == CANARY_VIN:
        return False
    alert = item.alert
    is_grave = alert.severity is Severity.STOP or alert.lamp is Lamp.RED
    return is_grave and status_of(alert) in (Status.ACTIVE, Status.LAMP_ONLY)
