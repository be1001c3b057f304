"""Phone numbers: one form in the tables (E.164), one for the dial, one for people. Pure."""

import re
import unicodedata
from typing import Final

import phonenumbers

_EXTENSION: Final = re.compile(
    r"\s*(?:转|轉|分机|;\s*ext\s*=|extension|ext\.?|x|#)\s*(\d{1,6})$", re.I
)
_LAST_PART: Final = re.compile(r"(.*\d)\s*[-–—]\s*(\d{1,5})$")
_SPELLED: Final = re.compile(r"\+?[\d\s().\-–—]+")
_WHOLE: Final = re.compile(r"(\+?\d+)\.0+")


def one_form(spelled: str, country: str | None) -> str:
    """Return a number in E.164, with `;ext=` where it has an extension.

    `country` (ISO 3166) is whose national spellings are read; None: only international ones. Raises
    `ValueError` with a sentence for what is no number that can be called.
    """
    plain = unicodedata.normalize("NFKC", spelled).strip().removeprefix("'").strip()
    plain = re.sub(r"^tel:\s*", "", plain, flags=re.IGNORECASE)
    whole = _WHOLE.fullmatch(plain)
    number, extension = whole[1] if whole else plain, ""
    match = _EXTENSION.search(number)
    if match:
        number, extension = number[: match.start()], match[1]
    parsed = _parsed(number, country)
    if parsed is None and not extension:
        last = _LAST_PART.fullmatch(number)
        if last:
            parsed, extension = _parsed(last[1], country), last[2]
    if parsed is None:
        is_known = plain.startswith("+") or country in phonenumbers.SUPPORTED_REGIONS
        hint = "" if is_known else ", or one of no country that is known"
        message = f"{spelled!r} is no phone number{hint}"
        raise ValueError(message)
    e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return f"{e164};ext={extension}" if extension else e164


def dialled(stored: str, country: str | None) -> str | None:
    """Return what a phone dials, without its scheme; None for what is no number."""
    try:
        return one_form(stored, country)
    except ValueError:
        return None


def shown(stored: str, country: str | None) -> str:
    """Return a number in groups: as its country spells it if that is `country`, else with the code
    of the country; what is no number as it stands.
    """
    number = dialled(stored, country)
    if number is None:
        return stored
    e164, _, extension = number.partition(";ext=")
    parsed = phonenumbers.parse(e164)
    style = phonenumbers.PhoneNumberFormat
    is_home = phonenumbers.region_code_for_number(parsed) == country
    grouped = phonenumbers.format_number(parsed, style.NATIONAL if is_home else style.INTERNATIONAL)
    return f"{grouped} #{extension}" if extension else grouped


def _parsed(number: str, country: str | None) -> phonenumbers.PhoneNumber | None:
    if not _SPELLED.fullmatch(number):
        return None
    try:
        parsed = phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        return None
    return parsed if phonenumbers.is_valid_number(parsed) else None
