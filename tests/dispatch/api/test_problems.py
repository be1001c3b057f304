"""What the HTTP API answers when something is wrong: a problem (RFC 9457) that says what."""

import pytest
import sqlalchemy as sa

from models import tables as t
from models.words import Role
from tests.support.webs import Web, alert, web

__all__ = ["web"]


def test_a_lost_claim_says_who_has_it(web: Web) -> None:
    li = web.key(Role.OPERATOR, "rsa-beijing", "Li")
    chen = web.key(Role.OPERATOR, "rsa-beijing", "Chen")
    task_id = web.asks(li, "/v1/tasks/next", {}).json()["task_id"]
    lost = web.asks(chen, f"/v1/tasks/{task_id}/claim", {})
    assert lost.status_code == 409
    assert lost.headers["content-type"] == "application/problem+json"
    assert lost.json()["holder"] == "Li"
    assert lost.json()["until"]


def test_a_body_that_is_too_large_is_refused(engine: sa.Engine) -> None:
    web = Web(engine, body_limit=2048)
    key = web.key(Role.ENGINEER)
    answer = web.asks(key, "/v1/alerts", alert(1, text="x" * 3000))
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


def test_what_is_wrong_with_a_request_is_said_by_field(web: Web) -> None:
    boss = web.key(Role.SUPERVISOR)
    task_id = web.centre.rows(t.task)[0]["task_id"]
    answer = web.asks(boss, f"/v1/tasks/{task_id}/complete", {"disposition": "gone", "x": 1})
    assert answer.status_code == 422
    assert {one["where"] for one in answer.json()["mistakes"]} == {"body/disposition", "body/x"}
    assert web.asks(boss, "/v1/tasks?limit=0").status_code == 422
    assert web.asks(boss, "/v1/nothing").json()["status"] == 404


@pytest.mark.parametrize(
    "outage", [sa.exc.OperationalError, sa.exc.InternalError, sa.exc.TimeoutError]
)
def test_the_database_down_is_a_problem_and_not_a_traceback(
    engine: sa.Engine, outage: type[sa.exc.SQLAlchemyError]
) -> None:
    web = Web(engine)
    key = web.key(Role.ENGINEER)

    def down(*_: object) -> None:
        raise outage("select", {}, Exception("no"))

    sa.event.listen(engine, "before_cursor_execute", down)
    answer = web.asks(key, "/v1/tasks")
    sa.event.remove(engine, "before_cursor_execute", down)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "Traceback" not in answer.text
