"""BMW's packed message strings, as `00001,OK,2019-10,24000;00003,PENDING,2019-11,`."""

from typing import Any, Final

from ingest.formats.foreign import Foreign
from ingest.formats.parts import Bad, shown
from models.words import Reject

_EMPTY: Final = frozenset({"", "-", "NONE", "NULL"})


def with_packed(foreign: Foreign, listed: Any, packed: Any, pointer: str) -> Any:
    """Return a list with the messages that only the packed string has.

    What is no list is returned as it is, and rejected by whoever reads it; of the string each part
    that cannot be read is rejected by itself.
    """
    if not isinstance(packed, str) or packed.strip().upper() in _EMPTY:
        return listed
    if listed is not None and not isinstance(listed, list):
        return listed
    messages = list(listed or ())
    known = {_number(one.get("id", one.get("ccmId"))) for one in messages if isinstance(one, dict)}
    for place, part in enumerate(piece for piece in packed.split(";") if piece.strip()):
        fields = [field.strip() for field in part.split(",")]
        number = _number(fields[0])
        if number is None:
            detail = f"{shown(part)} does not begin with the number of a message"
            foreign.reject(Bad(Reject.BAD_CODE, detail, f"{pointer}/{place}"))
        elif number not in known:
            known.add(number)
            messages.append(_message(number, fields[1:]))
    return messages


def _message(number: int, fields: list[str]) -> dict[str, Any]:
    """Return a message as the lists spell it; its second field is a word, or a mileage."""
    word = fields[0] if fields else ""
    is_word = bool(word) and not word.replace(".", "").isdigit()
    return {"id": number, "status": word, "state": word} if is_word else {"id": number}


def _number(value: Any) -> int | None:
    text = str(value).strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None  # noqa: PLR2004 - digits
