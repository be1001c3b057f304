"""Scripted people: they claim, lose, give back and finish tasks, and remember what they were told.

Whoever gets no answer asks again under the same Idempotency-Key until there is one.
"""

import json
import random
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException
from typing import Any, Final

import sqlalchemy as sa

from dispatch.access.acting import Acting
from dispatch.access.api_keys import create_key
from dispatch.data.desks import load_directory
from dispatch.rules.events import Topics
from dispatch.rules.policy import DispatchPolicy
from dispatch.tasks import actions
from models.errors import PaccError
from models.person import Actor
from models.words import Role
from tests.soak.stream import is_busy, is_for_people
from tests.soak.system import database, guards
from tests.soak.system.supervisor import System

LEASE: Final = timedelta(seconds=2)
_OPERATORS: Final = 3
_SUPERVISORS: Final = 2
# So long a careless client thinks, and among so many first tasks everybody chooses: others come
# between often.
_THINKS_SECONDS: Final = 0.5
_FIRST: Final = 4
_UNDECIDED: Final = (500, 502, 503)
_PATIENCE: Final = 150.0


@dataclass(frozen=True, slots=True)
class Promise:
    """What an answer promised a person as done: `what` is the kind of the timeline's entry."""

    task_id: str
    name: str
    what: str
    version: int
    lease_until: datetime | None
    seen: int | None = None
    disposition: str | None = None


class People:
    """Everybody at work, until told to rest or to go home."""

    def __init__(self, system: System, seed: int) -> None:
        self.promises: list[Promise] = []
        self.refused = 0
        self._system = system
        self._home = threading.Event()
        self._working = threading.Event()
        self._resting = threading.Condition()
        self._at_work = 0
        self._unanswered: dict[str, str] = {}  # the last of each that is asked again
        people = [(Role.OPERATOR, "rsa-beijing")] * _OPERATORS + [
            (Role.SUPERVISOR, None)
        ] * _SUPERVISORS
        self._threads = [
            threading.Thread(
                target=self._shift,
                daemon=True,
                args=(
                    self._key(role, desk, f"{role} {number}"),
                    f"{role} {number}",
                    random.Random(f"person {seed} {number}"),
                ),
            )
            for number, (role, desk) in enumerate(people)
        ]
        careless = _Careless(system)
        self._threads.append(
            threading.Thread(
                target=self._careless, args=(careless, random.Random(seed)), daemon=True
            )
        )
        for thread in self._threads:
            thread.start()

    def work(self) -> None:
        """Let everybody begin, or go on."""
        self._working.set()

    def rest(self) -> str | None:
        """Wait until nobody has a request under way; say which of them never gets an answer."""
        self._working.clear()
        with self._resting:
            if self._resting.wait_for(lambda: self._at_work == 0, _PATIENCE):
                return None
        asked = "; ".join(list(self._unanswered.values())) or "no request over the API"
        return f"{self._at_work} got no answer in {_PATIENCE:.0f} s: {asked}"

    def go_home(self) -> None:
        """End all shifts."""
        self._home.set()
        self._working.set()
        for thread in self._threads:
            thread.join(timeout=60)

    def _key(self, role: Role, desk: str | None, name: str) -> str:
        with self._system.engine.begin() as connection:
            return create_key(connection, role, desk, name, datetime.now(UTC))["key"]

    @contextmanager
    def _request(self) -> Iterator[None]:
        self._working.wait()
        with self._resting:
            self._at_work += 1
        try:
            yield
        finally:
            with self._resting:
                self._at_work -= 1
                self._resting.notify_all()

    def _shift(self, key: str, name: str, chance: random.Random) -> None:
        person = _Person(self, self._system.port, key, name, chance)
        while not self._home.is_set():
            with self._request():
                task = person.looks()
            if task is None:
                time.sleep(0.2)
                continue
            for step in person.works(task):
                with self._request():
                    step()
                time.sleep(chance.uniform(0, 0.1))

    def _careless(self, careless: "_Careless", chance: random.Random) -> None:
        while not self._home.is_set():
            with self._request():
                promise = careless.claims(chance)
            if promise is not None:
                self.promises.append(promise)
            self.refused += promise is None
            time.sleep(0.1)

    def asks(self, connection: tuple[int, str], path: str, body: Any) -> tuple[int, Any]:
        """Ask until there is an answer; nobody goes home before."""
        port, key = connection
        headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            "Idempotency-Key": uuid.uuid4().hex,
        }
        method, mark = "GET" if body is None else "POST", headers["Idempotency-Key"]
        while True:
            http = HTTPConnection("127.0.0.1", port, timeout=10)
            try:
                http.request(method, path, None if body is None else json.dumps(body), headers)
                answer = http.getresponse()
                read = json.loads(answer.read() or b"null")
                if answer.status not in _UNDECIDED:
                    self._unanswered.pop(mark, None)
                    return answer.status, read
                self._unanswered[mark] = f"{method} {path}: {answer.status} {read}"
            except (OSError, HTTPException, ValueError) as error:
                self._unanswered[mark] = f"{method} {path}: {error!r}"
            finally:
                http.close()
            if self._home.is_set():
                return 0, None
            time.sleep(0.1)


class _Person:
    """One of them, with a key."""

    def __init__(
        self, crowd: People, port: int, key: str, name: str, chance: random.Random
    ) -> None:
        self._people = crowd
        self._door = (port, key)
        self._name = name
        self._chance = chance

    def looks(self) -> dict[str, Any] | None:
        """Pick one of the first tasks that nobody has claimed."""
        status, page = self._people.asks(self._door, "/v1/tasks?limit=400", None)
        if status != 200:
            return None
        free = [
            one
            for one in page["items"]
            if (is_for_people(one["vin"]) or is_busy(one["vin"])) and one["holder"] is None
        ]
        return self._chance.choice(free[:_FIRST]) if free else None

    def works(self, task: dict[str, Any]) -> Iterator[Any]:
        """Go through one of the ways in which people work on a task."""
        mine: dict[str, Any] = {}

        def does(path: str, what: str, body: dict[str, Any]) -> None:
            mine.update(self._does(task["task_id"], path, what, body))

        yield lambda: does("claim", "task_claimed", {"version": task["version"]})
        if not mine.get("is_done"):
            return
        way = self._chance.random()
        if is_busy(task["vin"]) or way < 0.15:
            if way < 0.5:
                yield lambda: does("release", "task_released", {})
            return  # or the claim is lost: nobody renews it
        if mine["state"] == "claimed":
            yield lambda: does("contact", "task_contacted", {})
        if mine.get("is_done") and way < 0.85:
            end = "drove_to_dealer" if task["queue"] == "roadside" and way < 0.4 else None
            ending = {"disposition": end or "fixed_by_phone"}
            yield lambda: does("complete", "task_closed", ending)

    def _does(self, task_id: str, path: str, what: str, body: dict[str, Any]) -> dict[str, Any]:
        status, task = self._people.asks(self._door, f"/v1/tasks/{task_id}/{path}", body)
        if status != 200:
            return {"is_done": False}
        lease = task["lease_until"]
        self._people.promises.append(
            Promise(
                task_id,
                self._name,
                what,
                task["version"],
                datetime.fromisoformat(lease) if lease else None,
                body.get("version"),
                body.get("disposition"),
            )
        )
        return {"is_done": True, "state": task["state"]}


class _Careless:
    """A client that forgets the lock and thinks between looking and writing.

    What holds it off is that a task's version is compared and set.
    """

    def __init__(self, system: System) -> None:
        self._engine = database.driver_engine(system.url)
        if system.guard == "version":
            guards.remove("version", self._engine)
        guards.without(self._engine, r"\s+FOR UPDATE$", self._thinks)
        with system.engine.begin() as connection:
            self._house = DispatchPolicy(load_directory(connection), LEASE, Topics(**system.out))
        self._actor = Actor("careless", "careless", Role.SUPERVISOR, None)

    @staticmethod
    def _thinks(statement: str) -> None:
        if statement.startswith("UPDATE task"):
            time.sleep(_THINKS_SECONDS)

    def claims(self, chance: random.Random) -> Promise | None:
        """Claim what others claim too; None if it was refused."""
        at = datetime.now(UTC)
        try:
            with self._engine.begin() as connection:
                free = connection.execute(_FREE).all()
                if not free:
                    return None
                task_id, seen = chance.choice(free)
                actions.claim(Acting(connection, self._actor, at, self._house), task_id)
        except (PaccError, sa.exc.DBAPIError):
            return None
        return Promise(task_id, "careless", "task_claimed", seen + 1, at + LEASE, seen)


_FREE: Final = sa.text(
    "select task_id, version from task where state = 'queued' and holder is null"
    " and substr(vin, 12, 1) = 'S' and desk = 'rsa-beijing'"
    " order by priority_rank desc, score desc, opened_at, task_id limit 2"
)
