"""What a cell of master data may say, and the one form in which it is kept.

A check raises `ValueError` with a sentence that begins after the name of the field.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any, Final, NoReturn
from zoneinfo import ZoneInfo

from dispatch.rules.opening_hours import read_hours, stored_hours
from models.alert import VIN_PATTERN

Check = Callable[[Any], Any]

_INVISIBLE: Final = " \t\r\n\u00a0\u3000\u200b\u200e\u200f\ufeff"
_FORMULA: Final = re.compile(r'="(.*)"')
_SPREADSHEET_ERROR: Final = re.compile(r"#(N/A|REF!|NAME\?|VALUE!|DIV/0!|NULL!|NUM!)")
_WHOLE: Final = re.compile(r"(\d+)\.0+")
_DATE: Final = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_YES_OR_NO: Final = {
    **dict.fromkeys(("true", "yes", "y", "1", "1.0", "是"), True),
    **dict.fromkeys(("false", "no", "n", "0", "0.0", "否"), False),
}


def tidy(cell: Any) -> Any:
    """Return what a cell says without what spreadsheets and YAML put around it; "" is nothing."""
    if cell is None:
        return ""
    if isinstance(cell, list):
        return [tidy(part) for part in cell]
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    text = str(cell).strip(_INVISIBLE)
    formula = _FORMULA.fullmatch(text)
    return formula[1].strip(_INVISIBLE) if formula else text


def text(cell: Any) -> str:
    """Check a text that is shown as it is."""
    if not isinstance(cell, str) or not cell:
        _refuse("is missing" if not cell else "is a list, and a text is wanted")
    if "\0" in cell or any("\ud800" <= sign <= "\udfff" for sign in cell):
        _refuse("holds signs that are no text")
    if _SPREADSHEET_ERROR.fullmatch(cell):
        _refuse(f"{cell} is an error of the spreadsheet")
    return str(cell)


def word(cell: Any) -> str:
    """Check a word or an id: wide letters become narrow, 1001.0 becomes 1001."""
    plain = unicodedata.normalize("NFKC", text(cell)).removeprefix("'").strip()
    whole = _WHOLE.fullmatch(plain)
    return whole[1] if whole else text(plain)


def capitals(cell: Any) -> str:
    """Check a word that is kept in capitals."""
    return word(cell).upper()


def small(cell: Any) -> str:
    """Check a word that is kept in small letters."""
    return word(cell).lower()


def maybe(check: Check) -> Check:
    """Return a check that takes nothing for None."""
    return lambda cell: None if cell in ("", []) else check(cell)


def either(words: Iterable[str], default: str | None = None) -> Check:
    """Return a check for one word of a list; hyphens and blanks in it do not matter."""
    known = tuple(words)

    def check(cell: Any) -> str:
        if not cell and default is not None:
            return default
        plain = re.sub(r"[\s\-]+", "_", small(cell))
        if plain not in known:
            _refuse(f"{cell!r} is none of {', '.join(known)}")
        return plain

    return check


def at_most(length: int, check: Check) -> Check:
    """Return a check that also refuses a text longer than its column."""

    def checked(cell: Any) -> Any:
        value = check(cell)
        if isinstance(value, str) and len(value) > length:
            _refuse(f"has {len(value)} signs, {length} are the most")
        return value

    return checked


def within(least: float, most: float) -> Check:
    """Return a check for a number between two."""

    def check(cell: Any) -> float:
        plain = word(cell)
        spelled = plain if "." in plain else plain.replace(",", ".")
        try:
            value = float(spelled)
        except ValueError:
            _refuse(f"{plain!r} is no number")
        if not least <= value <= most:
            _refuse(f"{value} is not within {least:g} to {most:g}")
        return value

    return check


def vin(cell: Any) -> str:
    """Check a vehicle identification number."""
    plain = capitals(cell)
    if re.match(VIN_PATTERN, plain) is None:
        _refuse(f"{plain} is no VIN: 17 signs, without I, O and Q")
    return plain


def zone(cell: Any) -> str:
    """Check the name of a time zone."""
    plain = word(cell)
    try:
        return ZoneInfo(plain).key
    except (LookupError, ValueError, OSError):
        _refuse(f"{plain!r} is no time zone: Asia/Shanghai is one")


def yes(cell: Any) -> bool:
    """Check yes or no."""
    answer = _YES_OR_NO.get(small(cell))
    if answer is None:
        _refuse(f"{cell!r} is neither true nor false")
    return answer


def words(cell: Any) -> list[str]:
    """Check words with blanks or commas between them, or a list."""
    parts = re.split(r"[\s,，、;；]+", cell) if isinstance(cell, str) else cell
    return sorted(word(part) for part in parts if part)


def days(cell: Any) -> list[str]:
    """Check dates: year, month and day, in that order."""
    return sorted({_day(part) for part in words(cell)})


def hours(cell: Any) -> dict[str, list[list[str]]]:
    """Check opening hours."""
    return stored_hours(read_hours(word(cell) if cell else ""))


def _day(spelled: str) -> str:
    match = _DATE.fullmatch(spelled)
    try:
        if match:
            return date(int(match[1]), int(match[2]), int(match[3])).isoformat()
        return date.fromisoformat(spelled).isoformat()
    except ValueError:
        _refuse(f"{spelled!r} is no date: 2026-02-17 is one")


def _refuse(sentence: str) -> NoReturn:
    raise ValueError(sentence)
