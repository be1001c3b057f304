"""Who is asking: the bearer of an API key, or nobody."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import sqlalchemy as sa
from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from dispatch.access.acting import Acting
from dispatch.access.api_keys import find_actor
from dispatch.rules.policy import DispatchPolicy
from models.errors import NotAllowed, Unknown
from models.person import Actor
from models.words import Role

_bearer = HTTPBearer(auto_error=False, description="An API key: `pacc key create` makes one.")


@dataclass(frozen=True, slots=True)
class WebContext:
    """What the routes work with. `now` is the clock, so that tests can hold it."""

    engine: sa.Engine
    house: DispatchPolicy
    now: Callable[[], datetime]

    def acting(self, connection: sa.Connection, actor: Actor) -> Acting:
        """Return what a change by somebody in this transaction needs, as of now."""
        return Acting(connection, actor, self.now(), self.house)


def office_of(request: Request) -> WebContext:
    """Return what the application's routes work with."""
    office: WebContext = request.app.state.office
    return office


def actor_of(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> Actor:
    """Return who is asking. Raises `Unknown`, alike for no key, a wrong one and a revoked one."""
    actor = None
    if credentials is not None:
        with office_of(request).engine.begin() as connection:
            actor = find_actor(connection, credentials.credentials)
    if actor is None:
        raise Unknown("Send a valid API key: `Authorization: Bearer pacc_…`.")
    return actor


def require(*roles: Role) -> Callable[[Actor], Actor]:
    """Return a check that raises `NotAllowed` for other roles than these."""

    def check(actor: Annotated[Actor, Depends(actor_of)]) -> Actor:
        if actor.role not in roles:
            raise NotAllowed(
                "This takes the role %(roles)s; your key is %(role)s.",
                {"roles": " or ".join(roles), "role": actor.role},
            )
        return actor

    return check


InOffice = Annotated[WebContext, Depends(office_of)]
AsActor = Annotated[Actor, Depends(actor_of)]
AsEngineer = Annotated[Actor, Depends(require(Role.ENGINEER))]
