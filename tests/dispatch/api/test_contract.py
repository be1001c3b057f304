"""The whole HTTP API against its own document: no 5xx, and no answer that it does not name."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from models import tables as t
from models.migrations import upgrade
from models.words import Role
from pacc.process.database import make_engine
from tests.support.webs import Web
from tests.worlds import CAR, OTHER, urgent_and_normal

_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
_DESKS = {Role.OPERATOR: "rsa-beijing", Role.DEALER: "dealer"}
_EXAMPLES = settings(
    max_examples=3,
    database=None,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """The API with an urgent case, a normal one, and something in quarantine."""
    place: Path = tmp_path_factory.mktemp("contract") / "pacc.db"
    engine = make_engine(f"sqlite:///{place}")
    upgrade(engine)
    web = Web(engine)
    web.centre.plays(urgent_and_normal().raw(b"{").records)
    with web.client:
        yield web
    engine.dispose()


def known_ids(web: Web) -> dict[str, list[str]]:
    """Ids that are there, by the name of the parameter that takes them."""
    return {
        "task_id": [row["task_id"] for row in web.centre.rows(t.task)],
        "case_id": [row["case_id"] for row in web.centre.rows(t.case)],
        "quarantine_id": [row["quarantine_id"] for row in web.centre.rows(t.quarantine)],
        "silence_id": [row["silence_id"] for row in web.centre.rows(t.silence)] or ["none"],
        "issue_id": [row["issue_id"] for row in web.centre.rows(t.fleet_issue)] or ["none"],
        "vin": [CAR, OTHER],
    }


def key_of(web: Web, role: Role | None) -> dict[str, str]:
    """The header of a key of this role; none for nobody."""
    if role is None:
        return {}
    desk = _DESKS.get(role)
    if role is Role.DEALER:
        (desk,) = {row["desk"] for row in web.centre.rows(t.task) if row["queue"] == "dealer"}
    return {"Authorization": f"Bearer {web.key(role, desk)}"}


@pytest.mark.parametrize("role", [*Role, None], ids=str)
def test_every_answer_stands_in_the_document(web: Web, role: Role | None) -> None:
    schema = schemathesis.openapi.from_asgi("/openapi.json", web.app)
    headers = key_of(web, role)
    answered: set[int] = set()
    asked: set[str] = set()
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()

        @_EXAMPLES
        @given(case=operation.as_strategy(), data=st.data())
        def ask(case: Any, data: st.DataObject) -> None:
            asked.add(case.operation.label)
            for name, ids in known_ids(web).items():
                if name in (case.path_parameters or {}) and data.draw(st.booleans()):
                    case.path_parameters[name] = data.draw(st.sampled_from(ids))
            response = case.call(headers=headers)
            answered.add(response.status_code)
            case.validate_response(response, checks=_CHECKS)

        ask()
    document = web.client.get("/openapi.json").json()
    assert len(asked) == sum(len(methods) for methods in document["paths"].values()) > 30
    assert 401 in answered if role is None else {200, 404} <= answered
