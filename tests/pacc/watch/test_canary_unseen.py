"""No person, page, route, statistic or event meets the canary, as the application says."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from dispatch.console.pages.live import Hub, _beat
from dispatch.data.outbox_relay import relay
from dispatch.read.changes import changes, horizon
from dispatch.read.outcomes import endings
from ingest.store.history import delivered
from models import tables as t
from models.batch import Message
from models.canary import CANARY_DESK, CANARY_VIN
from models.words import Role
from pacc.watch import canary
from prioritizer.model.registry import scored_by_both
from tests.pacc.watch.test_canary import KAFKA, MINUTE, record_of
from tests.support.consoles import Console, pages
from tests.support.webs import routes
from tests.worlds import CAR, OTHER, START, Stream, supervisor


class ConsoleWithCanary(Console):
    """The application on a centre that people work at, where a canary may be on its way."""

    def __init__(self, engine: sa.Engine) -> None:
        super().__init__(engine)
        stream = Stream(KAFKA).says(CAR, "dtc:P0C01", severity="stop", motion="moving")
        stream.says(OTHER, "dtc:B1342")
        self.centre.plays(stream.records)
        for login, role, desks in (
            ("li", Role.OPERATOR, ("rsa-beijing",)),
            ("wang", Role.DEALER, ("dealer-beijing-1",)),
            ("zhao", Role.SUPERVISOR, ()),
            ("eve", Role.ENGINEER, ()),
            ("ada", Role.ADMINISTRATOR, ()),
        ):
            self.person(login, role, *desks, language="en")

    def brings_canary(self) -> dict[str, Any]:
        """Let a canary arrive; return its ids."""
        record = record_of(canary.message("pacc.alerts", START)[1], 2)
        self.centre.worker.process([record])
        (task,) = self.centre.rows(t.task, vin=CANARY_VIN)
        return task


@pytest.fixture
def console(engine: sa.Engine) -> Iterator[ConsoleWithCanary]:
    """The application, served."""
    application = ConsoleWithCanary(engine)
    with application.client:
        yield application


def answers(console: ConsoleWithCanary, roles: dict[str, str]) -> dict[str, str]:
    """What every route that can be asked without an id says to every role: found in the
    application itself, the console's pages with a session, the API's with a key."""
    said = {}
    for name, key in roles.items():
        for route in routes(console):
            if "GET" in (route.methods or ()) and "{" not in route.path:
                said[f"{name} {route.path}"] = console.asks(key, route.path).text
    return said


def shown_pages(console: ConsoleWithCanary) -> dict[str, str]:
    """Every page that stands by itself, as every kind of person sees it; the words of a session
    and the number that live pages go on from are blanked."""
    said = {}
    for login in ("li", "wang", "zhao", "eve", "ada"):
        assert console.enters(login).status_code == 303
        for path in pages(console, "GET"):
            if "{" in path or path.startswith(("/live", "/login")):
                continue
            for url in (path, f"{path}?tab=all", f"{path}?tab=missed"):
                text = console.client.get(url).text
                said[f"{login} {url}"] = re.sub(r'(csrf"?[^"]*"|data-since=")[^"]*"', "", text)
    return said


def test_no_page_shows_it_or_says_another_thing_because_of_it(console: ConsoleWithCanary) -> None:
    before = shown_pages(console)
    assert len(before) >= 5 * 3 * 6
    task = console.brings_canary()
    after = shown_pages(console)
    assert [asked for asked, said in after.items() if said != before[asked]] == []
    console.enters("zhao")
    csrf = console.csrf
    tried = 0
    for method in ("GET", "POST"):
        for path in pages(console, method):
            if "{task_id}" not in path:
                continue
            url = path.format(
                task_id=task["task_id"], step="contact", what="claim", handover_id="0" * 32
            )
            data = (
                {
                    "csrf": csrf,
                    "reason": "r",
                    "desk": "rsa-beijing",
                    "hours": "2",
                    "disposition": "false_alarm",
                    "channel": "call",
                    "note": "n",
                    "minutes": "5",
                }
                if method == "POST"
                else None
            )
            answer = console.client.request(method, url, data=data)
            assert answer.status_code in (403, 404, 422), (path, answer.status_code)
            tried += 1
    assert tried >= 17
    assert console.centre.rows(t.task, vin=CANARY_VIN) == [task]


def test_live_pages_hear_nothing_of_it(console: ConsoleWithCanary) -> None:
    console.brings_canary()
    with console.centre.engine.begin() as connection:
        end = horizon(connection)
        heard = changes(connection, 0, end)
    assert CANARY_DESK in {one.desk for one in heard}
    hub = Hub(console.app.state.office)
    boss = supervisor()
    assert [one.desk for one in heard if boss.sees(one.desk)].count(CANARY_DESK) == 0
    unclaimed = dict(hub._pulse([]).unclaimed)
    assert CANARY_DESK in unclaimed
    beat = json.loads(str(_beat(boss, hub._pulse([]), end).data))
    assert beat["urgent"] == sum(unclaimed.values()) - unclaimed[CANARY_DESK]


LEDGER = "/v1/ledger"  # counts every record, the canary's too: that is what it is for


def test_no_route_of_the_api_shows_it_or_says_another_thing_because_of_it(
    console: ConsoleWithCanary,
) -> None:
    roles = {
        f"{role.value}": console.key(
            role,
            None
            if role in (Role.SUPERVISOR, Role.ENGINEER, Role.ADMINISTRATOR)
            else "rsa-beijing"
            if role is Role.OPERATOR
            else "dealer-beijing-1",
        )
        for role in Role
    }
    before = answers(console, roles)
    assert len(before) >= 5 * 5
    task = console.brings_canary()
    after = answers(console, roles)
    for asked, said in after.items():
        if asked.endswith(LEDGER):
            continue
        assert said == before[asked], asked
    boss = roles["supervisor"]
    for route in routes(console):
        ids = {"task_id": task["task_id"], "case_id": task["case_id"], "vin": CANARY_VIN}
        names = set(re.findall(r"{(\w+)}", route.path))
        if not names or not names <= set(ids):
            continue
        for method in sorted(route.methods or ()):
            body = (
                {
                    "reason": "r",
                    "kind": "silence",
                    "desk": "rsa-beijing",
                    "channel": "call",
                    "disposition": "false_alarm",
                }
                if method == "POST"
                else None
            )
            answer = console.asks(boss, route.path.format(**ids), body, method=method)
            assert answer.status_code in (404, 422), (method, route.path, answer.text)
    assert console.centre.rows(t.task, vin=CANARY_VIN) == [task]
    taken = console.asks(boss, "/v1/tasks/next", {})
    assert CANARY_VIN not in taken.text


@contextmanager
def unchanged(
    console: ConsoleWithCanary, look: Callable[[sa.Connection], Any]
) -> Iterator[dict[str, Any]]:
    """Whatever `look` reads is the same before and after a canary has come."""
    with console.centre.engine.begin() as connection:
        before = look(connection)
    task = console.brings_canary()
    yield task
    with console.centre.engine.begin() as connection:
        assert look(connection) == before


LOOKS: dict[str, Callable[[sa.Connection], Any]] = {
    "the endings that teach": lambda c: list(endings(c)),
    "the alerts that teach and drift": lambda c: [d.items for d in delivered(c)],
    "the cases that two models are compared by": lambda c: scored_by_both(c, "m1", "m2"),
}


@pytest.mark.parametrize("what", LOOKS)
def test_what_teaches_and_counts_leaves_it_out(console: ConsoleWithCanary, what: str) -> None:
    with unchanged(console, LOOKS[what]) as task, console.centre.engine.begin() as connection:
        ranked = {
            "ranked_by": "m1",
            "probability": 0.5,
            "challenger": "m2",
            "challenger_probability": 0.5,
            "state": "closed",
        }
        connection.execute(sa.update(t.case).where(t.case.c.vin == CANARY_VIN).values(ranked))
        done = {"state": "done", "disposition": "towed", "closed_at": START}
        connection.execute(
            sa.update(t.task).where(t.task.c.task_id == task["task_id"]).values(done)
        )


def test_digest_alarm_time_and_relay_leave_it_out(console: ConsoleWithCanary) -> None:
    centre = console.centre
    read = console.metrics.registry.get_sample_value
    digest = centre.digest
    with centre.engine.begin() as connection:
        connection.execute(sa.delete(t.task).where(t.task.c.vin == CAR))
    console.brings_canary()
    with centre.engine.begin() as connection:
        connection.execute(sa.delete(t.task).where(t.task.c.vin == CAR))
        console.metrics.read_database(connection, START + MINUTE)
    assert read("pacc_oldest_unclaimed_urgent_seconds") == 0
    assert {name: centre.digest[name] for name in ("cases", "faults")} == {
        name: digest[name] for name in ("cases", "faults")
    }
    assert centre.later(minutes=10).done == {}
    sent: list[Message] = []

    class Taker:
        def send(self, messages: Any) -> None:
            """Note what leaves."""
            sent.extend(messages)

    events = len(centre.rows(t.outbox))
    assert relay(centre.engine, Taker(), START) == events
    assert len(sent) < events
    assert not [one for one in sent if CANARY_VIN.encode() in (one.value or b"")]
