"""Takes the fields of a hand-written file apart; a `Mistake` says where one is wrong."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from models.case import Text
from models.documents.yaml import Source

W = TypeVar("W", bound=StrEnum)


def has_keys(
    value: Any, source: Source, needed: Collection[str], allowed: Collection[str] = ()
) -> Mapping[str, Any]:
    """Return a mapping with all needed keys and none beside the allowed ones."""
    if not isinstance(value, dict):
        raise source.mistake(f"wants fields, not {value!r}")
    missing = sorted(set(needed) - value.keys())
    if missing:
        raise source.mistake(f"has no {', '.join(missing)}")
    for key in value:
        if key not in needed and key not in allowed:
            raise source.at(str(key)).mistake("no such field")
    return value


def a_list(value: Any, source: Source) -> list[Any]:
    """Return the value, which must be a list. Raises `Mistake`."""
    if not isinstance(value, list):
        raise source.mistake(f"wants a list, not {value!r}")
    return value


def a_text(value: Any, source: Source) -> str:
    """Return a text that says something."""
    if not isinstance(value, str) or not value.strip():
        raise source.mistake(f"wants a text, not {value!r}")
    return value


def a_word(kind: type[W], value: Any, source: Source) -> W:
    """Return a word of a closed vocabulary."""
    if not isinstance(value, str) or value not in set(kind):
        raise source.mistake(f"no such word {value!r}; there are {', '.join(kind)}")
    return kind(value)


def two_languages(value: Any, source: Source) -> Text:
    """Return a text in both languages, from `{zh, en}` or `[zh, en]`."""
    if isinstance(value, list):
        if len(value) != 2:  # noqa: PLR2004 - two languages
            raise source.mistake(f"wants Chinese and English, not {value!r}")
        return Text(a_text(value[0], source.at(0)), a_text(value[1], source.at(1)))
    has_keys(value, source, ("zh", "en"))
    return Text(a_text(value["zh"], source.at("zh")), a_text(value["en"], source.at("en")))
