"""Settings: what cannot be meant is refused in words, and a password is never shown."""

import pytest

from models.errors import SettingsInvalid
from pacc.process.settings import load_settings, masked


def test_a_mistyped_setting_is_refused_with_the_nearest_right_one() -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load_settings({"PACC_DATABSE_URL": "x", "PACC_HEAL_AFTER": "30"})
    assert str(refused.value).splitlines()[1:] == [
        "  PACC_DATABSE_URL is no setting; did you mean PACC_DATABASE_URL?",
        "  PACC_HEAL_AFTER: Value error, a duration carries its unit: 30s, 15m, 2h, 30d",
    ]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PACC_TOPICS", '{"pacc.alerts": "bmw"}', "write it as topic: format"),
        ("PACC_TOPICS", "pacc.alerts: xml", "xml is no format; there are"),
        ("PACC_HEAL_AFTER", "99999999999999d", "longer than time itself"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused_in_words(name: str, value: str, said: str) -> None:
    with pytest.raises(SettingsInvalid, match=said):
        load_settings({name: value})


def test_a_password_in_the_query_of_an_address_is_masked_too() -> None:
    settings = load_settings({"PACC_DATABASE_URL": "postgresql://db/pacc?password=hunter2"})
    assert "hunter2" not in str(masked(settings))


def test_settings_are_read_and_their_password_is_never_shown() -> None:
    settings = load_settings(
        {"PACC_DATABASE_URL": "postgresql://me:hunter2@db/pacc", "PACC_TOPICS": "a: bmw, b: obd"}
    )
    assert settings.topics == {"a": "bmw", "b": "obd"}
    assert "hunter2" not in str(masked(settings))
