"""The application, with people who log in to it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from httpx2 import Response

from dispatch.access.people import add_person
from models.words import Role
from tests.support.webs import Web, all_routes
from tests.worlds import START, urgent_and_normal

PASSWORD = "correct horse battery"


class Console(Web):
    """The application, with people who log in."""

    def person(self, login: str, role: Role, *desks: str, **more: Any) -> dict[str, str]:
        """Add a person."""
        with self.centre.engine.begin() as connection:
            return add_person(connection, login, role, desks, START, password=PASSWORD, **more)

    def enters(self, login: str, password: str = PASSWORD, code: str = "") -> Response:
        """Log in; the client then carries the session."""
        self.client.cookies.clear()
        fields = {"login": login, "password": password, "code": code}
        return self.client.post("/login", data=fields, follow_redirects=False)

    @property
    def csrf(self) -> str:
        """The word that a page gives along."""
        attribute = re.search(r'data-csrf="([^"]+)"', self.client.get("/handover").text)
        assert attribute is not None
        return attribute[1]

    def posts(self, path: str, **fields: str) -> Response:
        """Send a form as our own page does."""
        return self.client.post(path, data={"csrf": self.csrf, **fields})


@pytest.fixture
def room(engine: sa.Engine) -> Iterator[Console]:
    """One urgent case in Beijing, one normal at a dealer, and people of each role."""
    console = Console(engine)
    console.centre.plays(urgent_and_normal().records)
    console.person("li", Role.OPERATOR, "rsa-beijing", name="Li", language="en")
    console.person("chen", Role.OPERATOR, "rsa-beijing", name="Chen", language="en")
    console.person("far", Role.OPERATOR, "rsa-wuhan", name="Far")
    console.person("zhao", Role.SUPERVISOR, name="Zhao", language="en")
    console.person("eve", Role.ENGINEER, name="Eve", language="en")
    with console.client:
        yield console


def urgent(room: Console) -> dict[str, Any]:
    """The urgent task."""
    return room.centre.task(queue="roadside")


def dealers(room: Console) -> dict[str, Any]:
    """The dealer's task."""
    return room.centre.task(queue="dealer")


def squeezed(page: str) -> str:
    """Return a page without the white space around its tags, to look for elements in a row."""
    return re.sub(r"\s*(<[^>]+>)\s*", r"\1", page)


def pages(room: Console, method: str) -> list[str]:
    """Every route of the console."""
    skipped = ("/v1", "/health", "/ready", "/docs", "/openapi.json", "/static", "/assets")
    return [
        one.path
        for one in all_routes(room)
        if not one.path.startswith(skipped) and method in (one.methods or ())
    ]
