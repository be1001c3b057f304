"""What the console shows of a model: how sure it is, why rules rank alone, its report."""

import pytest
import sqlalchemy as sa

from models import tables as t
from tests.support.consoles import Console, dealers, room
from tests.worlds import START

__all__ = ["room"]


def page_of(console: Console, login: str, **case: object) -> str:
    """Show somebody the dealer's case, ranked in this way."""
    task = dealers(console)
    with console.centre.engine.begin() as connection:
        row = t.case.c.case_id == task["case_id"]
        connection.execute(sa.update(t.case).where(row).values(**case))
    console.enters(login)
    return console.client.get(f"/task/{task['task_id']}").text


@pytest.mark.parametrize(("probability", "share"), [(0.02, 2), (0.3, 30), (0.9, 90)])
def test_a_case_says_how_many_such_cars_stand_and_to_engineers_which_version_says_so(
    room: Console, probability: float, share: int
) -> None:
    page = page_of(room, "zhao", ranked_by="0123abcd", probability=probability)
    assert f"{share} of 100 such cars stand within a day" in page
    assert "0123abcd" not in page
    page = page_of(room, "eve", ranked_by="0123abcd", probability=probability)
    assert "model 0123abcd" in page
    assert "/model/0123abcd/report" in page


def test_a_case_that_rules_ranked_is_certain_and_says_why_no_model_did(room: Console) -> None:
    page = page_of(room, "zhao", fallback="altered")
    assert "Decided by rules" in page
    assert "Rules alone: the model was altered" in page
    usual = page_of(room, "zhao", fallback="no_champion")
    assert "Rules alone" not in usual


def test_the_report_of_a_model_is_the_engineers_and_brings_exactly_its_own_style(
    room: Console,
) -> None:
    page = "<html><style>p {}</style><p>report</p></html>"
    row = {
        "version": "0123abcd",
        "made_at": START,
        "model": b"",
        "manifest": b"",
        "signature": b"",
        "report": page,
    }
    with room.centre.engine.begin() as connection:
        connection.execute(sa.insert(t.model_version).values(row))
    room.enters("li")
    assert room.client.get("/model/0123abcd/report").status_code == 404
    room.enters("eve")
    answer = room.client.get("/model/0123abcd/report")
    assert (answer.status_code, answer.text) == (200, page)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert "unsafe" not in policy
    assert room.client.get("/model/ffff/report").status_code == 404
