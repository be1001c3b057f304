"""The canary goes the whole way, and no person, list or statistic ever meets it."""

import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from dispatch.changes import changes, horizon
from dispatch.console.live import Hub, _beat
from dispatch.findings import endings
from dispatch.relay import relay
from dispatch.tidy import tidy
from ingest.past import delivered
from models import tables as t
from models.batch import Message, Partition, Record
from models.canary import CANARY_DESK, CANARY_VIN
from models.migrations import upgrade
from models.words import Feed, Role
from pacc import canary
from pacc.canary import Canary
from pacc.database import make_engine
from pacc.flight import Flight, flight
from pacc.metrics import Metrics
from pacc.reconcile.look import Scope, reconcile
from prioritizer.store import scored_by_both
from tests.commands import Pacc, is_ready, waits
from tests.servers.processes import free_port
from tests.test_api import routes
from tests.test_console import Console, pages
from tests.test_kafka import send
from tests.worlds import CAR, OTHER, START, Centre, Room, Stream, operator, supervisor

KAFKA = Partition(Feed.KAFKA, "pacc.alerts", 0)
MINUTE = timedelta(minutes=1)


def record_of(sent: Message, offset: int = 0, at: Any = START) -> Record:
    """The message as the topic gives it back."""
    stamp = int(at.timestamp() * 1000)
    return Record(KAFKA, offset, stamp, sent.key, sent.value, sent.headers)


class Sky:
    """A canary whose topic is a pipeline right behind it, as far as one is at work."""

    def __init__(self, engine: sa.Engine) -> None:
        self.room = Centre(engine)
        self.now = START
        self.told: list[Flight] = []
        self.is_working = True
        self.sent = 0
        self.bird = Canary(engine, lambda: self, "pacc.alerts", MINUTE, self._at, self.told.append)

    def _at(self) -> Any:
        self.now += timedelta(milliseconds=700)
        return self.now

    def send(self, messages: list[Message]) -> None:
        """Take what is sent, and decide it if a worker is at work."""
        for one in messages:
            if self.is_working:
                self.room.worker.take(KAFKA, self.sent)
                self.room.worker.process([record_of(one, self.sent, self.now)])
                self.sent += 1

    def shown(self) -> Any:
        """What health says."""
        with self.room.engine.begin() as connection:
            found = flight(connection)
        assert found is not None
        return found.shown(self.now)


def test_it_goes_the_whole_way_and_leaves_nothing_behind(engine: sa.Engine) -> None:
    sky = Sky(engine)
    for _ in range(2):
        sky.bird.round()
        shown = sky.shown()
        assert (shown["ok"], shown["waiting_seconds"], shown["missed"]) == (True, None, 0)
        assert re.fullmatch(r"last seen in a queue \d\.\d s ago, took 0\.7 s", shown["says"])
        for table in (t.alert, t.case, t.fault, t.task, t.entry, t.outbox):
            assert sky.room.rows(table) == [], table.name
        sky.now += MINUTE
    assert sky.room.outcomes() == {"opened": 2}
    (vehicle,) = sky.room.rows(t.vehicle)
    assert vehicle["history"] == []
    assert sky.room.ledger["reconciled"]
    report = reconcile(engine, None, Scope(("pacc.alerts",), is_full=True), sky.now)
    assert report["findings"] == []


def test_while_it_is_on_its_way_its_task_is_urgent_at_its_own_desk(engine: sa.Engine) -> None:
    room = Centre(engine)
    room.plays([record_of(canary.message("pacc.alerts", START)[1])])
    (task,) = room.rows(t.task)
    assert (task["desk"], task["queue"], task["priority"]) == (CANARY_DESK, "roadside", "urgent")
    assert not supervisor().sees(CANARY_DESK)
    assert not operator(desk=CANARY_DESK).sees(CANARY_DESK)


def test_without_a_worker_its_age_grows_and_health_says_so(engine: sa.Engine) -> None:
    sky = Sky(engine)
    sky.bird.round()
    sky.is_working = False
    for _ in range(4):
        sky.now += MINUTE
        sky.bird.round()
    shown = sky.shown()
    assert (shown["ok"], shown["missed"]) == (False, 4)
    assert shown["age_seconds"] > 240
    assert shown["says"].endswith("the way from the topic to the queue is blocked")
    sky.is_working = True
    sky.now += MINUTE
    sky.bird.round()
    assert sky.shown()["ok"]
    assert sky.shown()["missed"] == 4


def test_of_several_only_one_sends_in_an_interval(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        due = [canary.may_send(connection, START + one * timedelta(seconds=20), MINUTE)
               for one in range(7)]  # fmt: skip
    assert due == [True, False, False, True, False, False, True]


def test_metrics_say_how_old_the_last_sight_is_and_how_many_were_missed(engine: sa.Engine) -> None:
    metrics, sky = Metrics(), Sky(engine)
    sky.bird._tell = metrics.canary.flown
    sky.bird.round()
    sky.is_working = False
    sky.now += MINUTE
    sky.bird.round()
    read = metrics.registry.get_sample_value
    assert read("pacc_canary_seconds_count") == 1
    assert read("pacc_canary_seconds_sum") == pytest.approx(0.7)
    assert read("pacc_canary_missed_total") == 1
    assert (read("pacc_canary_age_seconds") or 0) > 1000


def test_one_that_nobody_waits_for_is_swept_away_after_an_hour(engine: sa.Engine) -> None:
    room = Centre(engine)
    room.plays([record_of(canary.message("pacc.alerts", START)[1])])
    for minutes, swept in ((59, 0), (61, 1), (62, 0)):
        with engine.begin() as connection:
            assert canary.sweep(connection, START + minutes * MINUTE) == swept
    assert room.rows(t.case) == room.rows(t.alert) == []


def test_old_pulses_are_cleared(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        canary.may_send(connection, START, MINUTE)
    assert tidy(engine, START + timedelta(days=2)) == {"pulse_cleared": 1}


def test_no_real_vehicle_can_be_the_canary_and_no_other_mark_is_taken(engine: sa.Engine) -> None:
    sent = canary.message("pacc.alerts", START)[1]
    assert sent.value is not None
    false = replace(sent, value=sent.value.replace(CANARY_VIN.encode(), b"QQQCANARYQPACCQQO"))
    room = Room(engine).plays([record_of(sent), record_of(false, 1)])
    assert room.outcomes() == {"opened": 1, "quarantined": 1}


class Aviary(Console):
    """The application on a centre that people work at, where a canary may be on its way."""

    def __init__(self, engine: sa.Engine) -> None:
        super().__init__(engine)
        stream = Stream(KAFKA).says(CAR, "dtc:P0C01", severity="stop", motion="moving")
        stream.says(OTHER, "dtc:B1342")
        self.centre.plays(stream.records)
        for login, role, desks in (
            ("li", Role.OPERATOR, ("rsa-beijing",)), ("wang", Role.DEALER, ("dealer-beijing-1",)),
            ("zhao", Role.SUPERVISOR, ()), ("eve", Role.ENGINEER, ()),
            ("ada", Role.ADMINISTRATOR, ()),
        ):  # fmt: skip
            self.person(login, role, *desks, language="en")

    def flies(self) -> dict[str, Any]:
        """Let a canary arrive; give its ids."""
        record = record_of(canary.message("pacc.alerts", START)[1], 2)
        self.centre.worker.process([record])
        (task,) = self.centre.rows(t.task, vin=CANARY_VIN)
        return task


@pytest.fixture
def aviary(engine: sa.Engine) -> Iterator[Aviary]:
    """The application, served."""
    made = Aviary(engine)
    with made.client:
        yield made


def answers(aviary: Aviary, roles: dict[str, str]) -> dict[str, str]:
    """What every route that can be asked without an id says to every role: found in the
    application itself, the console's pages with a session, the API's with a key."""
    said = {}
    for name, key in roles.items():
        for route in routes(aviary):
            if "GET" in (route.methods or ()) and "{" not in route.path:
                said[f"{name} {route.path}"] = aviary.asks(key, route.path).text
    return said


def shown_pages(aviary: Aviary) -> dict[str, str]:
    """Every page that stands by itself, as every kind of person sees it; the words of a session
    and the number that live pages go on from are blanked."""
    said = {}
    for login in ("li", "wang", "zhao", "eve", "ada"):
        assert aviary.enters(login).status_code == 303
        for path in pages(aviary, "GET"):
            if "{" in path or path.startswith(("/live", "/login")):
                continue
            for url in (path, f"{path}?tab=all", f"{path}?tab=missed"):
                text = aviary.client.get(url).text
                said[f"{login} {url}"] = re.sub(r'(csrf"?[^"]*"|data-since=")[^"]*"', "", text)
    return said


def test_no_page_shows_it_or_says_another_thing_because_of_it(aviary: Aviary) -> None:
    before = shown_pages(aviary)
    assert len(before) >= 5 * 3 * 6
    task = aviary.flies()
    after = shown_pages(aviary)
    assert [asked for asked, said in after.items() if said != before[asked]] == []
    aviary.enters("zhao")
    csrf = aviary.csrf
    tried = 0
    for method in ("GET", "POST"):
        for path in pages(aviary, method):
            if "{task_id}" not in path:
                continue
            url = path.format(task_id=task["task_id"], step="contact", what="claim",
                              handover_id="0" * 32)  # fmt: skip
            data = {"csrf": csrf, "reason": "r", "desk": "rsa-beijing", "hours": "2",
                    "disposition": "false_alarm", "channel": "call", "note": "n",
                    "minutes": "5"} if method == "POST" else None  # fmt: skip
            answer = aviary.client.request(method, url, data=data)
            assert answer.status_code in (403, 404, 422), (path, answer.status_code)
            tried += 1
    assert tried >= 17
    assert aviary.centre.rows(t.task, vin=CANARY_VIN) == [task]


def test_live_pages_hear_nothing_of_it(aviary: Aviary) -> None:
    aviary.flies()
    with aviary.centre.engine.begin() as connection:
        end = horizon(connection)
        heard = changes(connection, 0, end)
    assert CANARY_DESK in {one.desk for one in heard}
    hub = Hub(aviary.app.state.office)
    boss = supervisor()
    assert [one.desk for one in heard if boss.sees(one.desk)].count(CANARY_DESK) == 0
    unclaimed = dict(hub._pulse([]).unclaimed)
    assert CANARY_DESK in unclaimed
    beat = json.loads(str(_beat(boss, hub._pulse([]), end).data))
    assert beat["urgent"] == sum(unclaimed.values()) - unclaimed[CANARY_DESK]


LEDGER = "/v1/ledger"  # counts every record, the canary's too: that is what it is for


def test_no_route_of_the_api_shows_it_or_says_another_thing_because_of_it(aviary: Aviary) -> None:
    roles = {f"{role.value}": aviary.key(role, None if role in (Role.SUPERVISOR, Role.ENGINEER,
                                                               Role.ADMINISTRATOR)
                                         else "rsa-beijing" if role is Role.OPERATOR
                                         else "dealer-beijing-1")
             for role in Role}  # fmt: skip
    before = answers(aviary, roles)
    assert len(before) >= 5 * 5
    task = aviary.flies()
    after = answers(aviary, roles)
    for asked, said in after.items():
        if asked.endswith(LEDGER):
            continue
        assert said == before[asked], asked
    boss = roles["supervisor"]
    for route in routes(aviary):
        ids = {"task_id": task["task_id"], "case_id": task["case_id"], "vin": CANARY_VIN}
        names = set(re.findall(r"{(\w+)}", route.path))
        if not names or not names <= set(ids):
            continue
        for method in sorted(route.methods or ()):
            body = {"reason": "r", "kind": "silence", "desk": "rsa-beijing", "channel": "call",
                    "disposition": "false_alarm"} if method == "POST" else None  # fmt: skip
            answer = aviary.asks(boss, route.path.format(**ids), body, method=method)
            assert answer.status_code in (404, 422), (method, route.path, answer.text)
    assert aviary.centre.rows(t.task, vin=CANARY_VIN) == [task]
    taken = aviary.asks(boss, "/v1/tasks/next", {})
    assert CANARY_VIN not in taken.text


@contextmanager
def unchanged(aviary: Aviary, look: Callable[[sa.Connection], Any]) -> Iterator[dict[str, Any]]:
    """Whatever `look` reads is the same before and after a canary has come."""
    with aviary.centre.engine.begin() as connection:
        before = look(connection)
    task = aviary.flies()
    yield task
    with aviary.centre.engine.begin() as connection:
        assert look(connection) == before


LOOKS: dict[str, Callable[[sa.Connection], Any]] = {
    "the endings that teach": lambda c: list(endings(c)),
    "the alerts that teach and drift": lambda c: [d.items for d in delivered(c)],
    "the cases that two models are compared by": lambda c: scored_by_both(c, "m1", "m2"),
}


@pytest.mark.parametrize("what", LOOKS)
def test_what_teaches_and_counts_leaves_it_out(aviary: Aviary, what: str) -> None:
    with unchanged(aviary, LOOKS[what]) as task, aviary.centre.engine.begin() as connection:
        ranked = {"ranked_by": "m1", "probability": 0.5, "challenger": "m2",
                  "challenger_probability": 0.5, "state": "closed"}  # fmt: skip
        connection.execute(sa.update(t.case).where(t.case.c.vin == CANARY_VIN).values(ranked))
        done = {"state": "done", "disposition": "towed", "closed_at": START}
        connection.execute(
            sa.update(t.task).where(t.task.c.task_id == task["task_id"]).values(done)
        )


def test_digest_alarm_time_and_relay_leave_it_out(aviary: Aviary) -> None:
    centre = aviary.centre
    read = aviary.metrics.registry.get_sample_value
    digest = centre.digest
    with centre.engine.begin() as connection:
        connection.execute(sa.delete(t.task).where(t.task.c.vin == CAR))
    aviary.flies()
    with centre.engine.begin() as connection:
        connection.execute(sa.delete(t.task).where(t.task.c.vin == CAR))
        aviary.metrics.look(connection, START + MINUTE)
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


def test_a_real_canary_flies_through_kafka_until_the_worker_stops(
    kafka_address: str, make_topic: Callable[[int], str], tmp_path: Path
) -> None:
    topic, url = make_topic(2), f"sqlite:///{tmp_path / 'pacc.db'}"
    engine = make_engine(url)
    upgrade(engine)
    port = free_port()
    pacc = Pacc(PACC_DATABASE_URL=url, PACC_TOPICS=f"{topic}: bmw", PACC_RELAY="false",
                PACC_KAFKA_BOOTSTRAP_SERVERS=kafka_address, PACC_GROUP_ID=topic,
                PACC_CANARY_EVERY="2s")  # fmt: skip
    send(kafka_address, topic, [])

    def seen_in_time(canary: Any) -> bool:
        return bool(canary and canary["ok"] and "last seen in a queue" in canary["says"])

    def bird() -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=10) as answer:
            return json.loads(answer.read())

    with pacc.runs("serve", "--port", str(port)), pacc.runs("tend"):
        waits(lambda: is_ready(f"http://127.0.0.1:{port}"))
        with pacc.runs("run"):
            waits(lambda: seen_in_time(bird()["canary"]))
            waits(lambda: Room(engine).outcomes().get("opened", 0) >= 3)
            waits(lambda: bird()["stream"]["workers"] == 1)
        waits(lambda: not bird()["canary"]["ok"])
        late = bird()["canary"]
        assert late["age_seconds"] >= 6
        assert late["missed"] >= 1
        assert late["waiting_seconds"] > 0
    assert Room(engine).rows(t.quarantine) == []
    engine.dispose()
