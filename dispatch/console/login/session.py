"""Logging in and out, who is at work, and the CSRF check of every write."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from dispatch.access.api_auth import InOffice, WebContext
from dispatch.access.login_throttle import TooManyTries
from dispatch.access.people import set_preference
from dispatch.access.sessions import Session, find_session, log_in, log_out
from dispatch.console.show.languages import LANGUAGES, N_
from dispatch.console.show.templates import HOME_ZONE, Reader, render, translate
from dispatch.read.queue import claimed_by
from dispatch.rules.policy import DispatchPolicy
from models.errors import NotAllowed, PaccError
from models.person import Actor
from models.words import Role

COOKIE: Final = "pacc_session"
HOME: Final = {
    Role.OPERATOR: "/queue",
    Role.DEALER: "/customers",
    Role.SUPERVISOR: "/board",
    Role.ENGINEER: "/queue",
    Role.ADMINISTRATOR: "/board",
}


class LogInFirst(PaccError):
    """Nobody is logged in here."""

    status = 401


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody at work, and what the routes need of them."""

    session: Session
    reader: Reader

    @property
    def actor(self) -> Actor:
        """Who it is."""
        return self.session.person.actor


def session_of(request: Request, office: WebContext) -> Session | None:
    """Return the session of who is logged in; None for nobody."""
    secret = request.cookies.get(COOKIE)
    if secret is None:
        return None
    with office.engine.begin() as connection:
        return find_session(connection, secret, office.now())


def zone_of(session: Session, house: DispatchPolicy) -> ZoneInfo:
    """Return the zone in which somebody lives: their desk's, if they belong to one."""
    desks = session.person.actor.desks
    desk = house.directory.desk(next(iter(desks))) if desks else None
    return ZoneInfo(desk.timezone) if desk else HOME_ZONE


def reader_of(request: Request, office: WebContext) -> Reader:
    """Return for whom a page is made, also for somebody who is not logged in."""
    session = session_of(request, office)
    if session is not None:
        language = session.person.language
        return Reader(session, language, office.now(), zone_of(session, office.house))
    wanted = request.query_params.get("language") or request.headers.get("accept-language", "zh")
    language = "en" if wanted.lower().startswith("en") else "zh"
    return Reader(None, language, office.now())


def visitor_of(request: Request, office: InOffice) -> Visitor:
    """Return who is logged in. Raises `LogInFirst` for everybody else."""
    reader = reader_of(request, office)
    if reader.session is None:
        raise LogInFirst("Log in first.")
    return Visitor(reader.session, reader)


async def form_of(request: Request) -> dict[str, str]:
    """Read a form's fields; files and NUL characters are not for us."""
    form = await request.form()
    return {
        name: value.replace("\x00", "\ufffd")
        for name, value in form.items()
        if isinstance(value, str)
    }


Fields = Annotated[dict[str, str], Depends(form_of)]
AsVisitor = Annotated[Visitor, Depends(visitor_of)]


def writer_of(request: Request, visitor: AsVisitor, fields: Fields) -> Visitor:
    """Return the visitor if the form carries the session's CSRF token.

    Raises `NotAllowed` otherwise: the change does not come from our own pages.
    """
    token = request.headers.get("x-csrf-token") or fields.get("csrf", "")
    if not secrets.compare_digest(token.encode(), visitor.session.csrf.encode()):
        raise NotAllowed("This page is too old to change anything. Load it again.")
    return visitor


AsWriter = Annotated[Visitor, Depends(writer_of)]


def require(*roles: Role) -> Callable[[Visitor], Visitor]:
    """Return a check that raises `NotAllowed` for other roles than these."""

    def check(visitor: AsVisitor) -> Visitor:
        if visitor.actor.role not in roles:
            raise NotAllowed("This page is for the role %(roles)s.", {"roles": list(roles)})
        return visitor

    return check


AsSupervisor = Annotated[Visitor, Depends(require(Role.SUPERVISOR, Role.ADMINISTRATOR))]
router = APIRouter(include_in_schema=False)


@router.get("/")
def home(visitor: AsVisitor) -> Response:
    """Send everybody to their own work."""
    return RedirectResponse(HOME[visitor.actor.role], 303)


@router.get("/login")
def ask(request: Request, office: InOffice, to: Annotated[str, Query()] = "/") -> Response:
    """Show the log-in page."""
    return _login_page(request, reader_of(request, office), {"to": local(to)})


@router.post("/login")
def enter(
    request: Request,
    office: InOffice,
    fields: Fields,
    to: Annotated[str, Form()] = "/",
) -> Response:
    """Open a session, or keep everything typed but the password and say what is wrong."""
    reader = reader_of(request, office)
    shift: timedelta = request.app.state.console.shift
    address = request.client.host if request.client else ""
    kept = {"to": local(to), "login": fields.get("login", "")}
    try:
        with office.engine.begin() as connection:
            secret = log_in(
                connection,
                kept["login"],
                fields.get("password", ""),
                fields.get("code", ""),
                address,
                office.now(),
                shift,
            )
    except TooManyTries:
        sentence = N_("Too many tries. Wait a quarter of an hour, or ask your supervisor.")
        return _login_page(
            request, reader, {**kept, "wrong": translate(reader.language, sentence)}, 429
        )
    if secret is None:
        sentence = N_("Name, password or code is wrong.")
        return _login_page(
            request, reader, {**kept, "wrong": translate(reader.language, sentence)}, 401
        )
    answer = RedirectResponse(local(to), 303)
    remember(request, answer, secret, shift)
    return answer


@router.post("/logout")
def leave(office: InOffice, visitor: AsWriter) -> Response:
    """End the session; nobody leaves with a driver in hand."""
    with office.engine.begin() as connection:
        claimed = claimed_by(connection, visitor.actor)
        if not claimed:
            log_out(connection, visitor.session, office.now())
    if claimed:
        return render(visitor.reader, "holding.html", {"held": claimed}, status=409)
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE)
    return answer


@router.post("/preferences")
def prefer(office: InOffice, visitor: AsWriter, fields: Fields) -> Response:
    """Change one's language, or switch single-letter keys on or off."""
    values: dict[str, Any] = {}
    if fields.get("language") in LANGUAGES:
        values["language"] = fields["language"]
    if "has_shortcuts" in fields:
        values["has_shortcuts"] = fields["has_shortcuts"] == "on"
    if values:
        with office.engine.begin() as connection:
            set_preference(connection, visitor.actor.actor_id, **values)
    return RedirectResponse(local(fields.get("to", "/")), 303)


def local(to: str) -> str:
    """Return a way back on this host; `/` for any other."""
    is_ours = to.startswith("/") and not to.startswith(("//", "/\\")) and "\\" not in to
    return to if is_ours else "/"


def remember(request: Request, answer: Response, secret: str, shift: timedelta) -> None:
    """Give the browser the session's secret, out of reach of scripts."""
    answer.set_cookie(
        COOKIE,
        secret,
        max_age=int(shift.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


def to_login(request: Request) -> Response:
    """Redirect somebody who is not logged in to the log-in page."""
    if request.headers.get("hx-request"):
        return Response(status_code=401, headers={"HX-Redirect": "/login"})
    to = request.url.path if request.method == "GET" else "/"
    return RedirectResponse(f"/login?to={quote(to)}", 303)


def _login_page(
    request: Request, reader: Reader, context: dict[str, str], status: int = 200
) -> Response:
    has_oidc = request.app.state.console.oidc is not None
    filled = {"login": "", "wrong": "", "has_oidc": has_oidc, **context}
    return render(reader, "login.html", filled, status=status)
