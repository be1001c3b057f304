"""Phones: every usual spelling of a number is one number, and what is none is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.phones import dialled, one_form, shown

MOBILE, BEIJING = "+8613800000020", "+861012345678"


SPELLINGS = {
    MOBILE: (
        "13800000020|138 0000 0020|138-0000-0020|+86 138 0000 0020|+86-13800000020|008613800000020"
        "|0086 138 0000 0020|8613800000020|(86)13800000020|+86(0)13800000020|'13800000020"
        "|８６１３８００００００２０|＋８６１３８００００００２０|13800000020.0"
        "|tel:+86-138-0000-0020| 13800000020\u3000"
    ),
    BEIJING: (
        "010-12345678|(010)12345678|010 1234 5678|+86 10 1234 5678|+86 010 12345678"
        "|86-010-12345678|０１０－１２３４５６７８"
    ),
    f"{BEIJING};ext=801": (
        "010-12345678-801|010-12345678转801|010-12345678 转 801|010-12345678 分机801"
        "|010-12345678 ext. 801|010-12345678x801|010-12345678#801|tel:+86-10-12345678;ext=801"
    ),
    "+864008123456": "4008123456|400-812-3456",
    "+491713920000": "+49 171 3920000|0049 171 3920000",
}
NONE = (
    "1.38E+10|4.01E+09|12|=cmd|=1+1|0444123456|444123456|119|无|#N/A|13800000020/13900000020"
    "|13800000020 13900000020|1380000002|138000000200|CALL-ME-NOW1|-|+|١٢|+86 000 00000001"
)


@pytest.mark.parametrize(
    ("spelled", "number"),
    [(spelled, number) for number, all_ in SPELLINGS.items() for spelled in all_.split("|")],
)
def test_spellings_of_a_number_are_one_number(spelled: str, number: str) -> None:
    assert one_form(spelled, "CN") == number
    assert one_form(number, None) == number


@pytest.mark.parametrize("spelled", [*NONE.split("|"), "1" * 300])
def test_what_is_no_number_is_refused_and_never_dialled(spelled: str) -> None:
    with pytest.raises(ValueError, match="is no phone number"):
        one_form(spelled, "CN")
    assert dialled(spelled, "CN") is None
    assert shown(spelled, "CN") == spelled


def test_a_national_spelling_is_read_by_its_country_alone() -> None:
    assert one_form("0171 3920000", "DE") == "+491713920000"
    for country in (None, "EU", ""):
        with pytest.raises(ValueError, match="no country"):
            one_form("0171 3920000", country)


def test_people_see_groups_and_a_foreign_number_with_its_country() -> None:
    assert shown(MOBILE, "CN") == "138 0000 0020"
    assert shown(f"{BEIJING};ext=801", "CN") == "010 1234 5678 #801"
    assert shown("+491713920000", "CN") == "+49 171 3920000"
    assert shown(MOBILE, None) == "+86 138 0000 0020"


@given(
    st.text(alphabet="+0123456789 ()-.转x#Ee=", max_size=24), st.sampled_from(["CN", "DE", None])
)
def test_one_form_is_a_fixed_point_or_a_refusal(spelled: str, country: str | None) -> None:
    number = dialled(spelled, country)
    assert number is None or one_form(number, None) == number
    assert shown(spelled, country) or not spelled
