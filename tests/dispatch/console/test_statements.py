"""What a page or an answer costs: a fixed number of statements, however much it shows."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import sqlalchemy as sa
from httpx2 import Response

from models.words import Role
from tests.support.consoles import Console, room, urgent
from tests.worlds import STRANDED, Stream

__all__ = ["room"]
# of a supervisor, whose pages show most; the first one finds the session, or the key
PAGES = {
    "/queue": 5,
    "/queue?tab=mine": 5,
    "/queue/rows": 5,
    "/customers": 3,
    "/board": 8,
    "/handover": 4,
    "/wall": 4,
    "/pulse": 5,
    "/task/{task_id}": 12,
}
ANSWERS = {
    "/cases": 4,
    "/cases/{case_id}": 5,
    "/tasks": 2,
    "/tasks/{task_id}": 5,
    "/silences": 2,
    "/fleet-issues": 3,
}


def test_a_page_costs_a_fixed_number_of_statements(room: Console) -> None:
    room.enters("zhao")
    ids = {"task_id": urgent(room)["task_id"]}

    def ask(path: str) -> Response:
        return room.client.get(path.format(**ids))

    assert reads(room, ask, PAGES) == PAGES
    more(room)
    assert reads(room, ask, PAGES) == PAGES


def test_an_answer_costs_a_fixed_number_of_statements(room: Console) -> None:
    key = room.key(Role.SUPERVISOR)
    ids = {name: urgent(room)[name] for name in ("task_id", "case_id")}

    def ask(path: str) -> Response:
        return room.asks(key, f"/v1{path.format(**ids)}")

    assert reads(room, ask, ANSWERS) == ANSWERS
    more(room)
    assert reads(room, ask, ANSWERS) == ANSWERS


def more(room: Console) -> None:
    """Let a dozen other cars report."""
    stream = Stream().says("-", "-").says("-", "-")
    for number in range(12):
        stream.says(f"LBV8P2C05L7F2{number:04d}", "dtc:P0A95", 1 + number / 10, **STRANDED)
    room.centre.worker.process(stream.records[2:])


def reads(room: Console, ask: Callable[[str], Response], paths: Iterable[str]) -> dict[str, int]:
    """Count the statements that read, for each path."""
    counts: Counter[str] = Counter()
    path = ""

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        counts[path] += statement.lstrip().upper().startswith("SELECT")

    sa.event.listen(room.centre.engine, "before_cursor_execute", note)
    for path in paths:
        assert ask(path).status_code == 200, path
    sa.event.remove(room.centre.engine, "before_cursor_execute", note)
    return dict(counts)
