"""The catalogue of fault codes: both languages, base codes, and tags that exist."""

import pytest

from prioritizer.features.catalogue import TAGS, load_catalogue, parse_catalogue

CATALOGUE = load_catalogue()


def test_the_catalogue_speaks_both_languages() -> None:
    assert len(CATALOGUE.entries) >= 150
    for code, entry in CATALOGUE.entries.items():
        for text in (entry.title,):
            assert any("\u4e00" <= sign <= "\u9fff" for sign in text.zh), code
            assert text.en, code
            assert not any("\u4e00" <= sign <= "\u9fff" for sign in text.en), code
    assert {tag for entry in CATALOGUE.entries.values() for tag in entry.tags} <= set(TAGS)


def test_a_code_with_a_failure_type_is_found_by_its_base() -> None:
    assert CATALOGUE.entry("dtc:P0A80-1C") is CATALOGUE.entries["dtc:P0A80"]


def test_an_unknown_tag_is_refused() -> None:
    with pytest.raises(ValueError, match="no such tag: magic"):
        parse_catalogue('"a:1": {system: body, title: [一, one], tags: [magic]}')
