"""Puts the console onto the application: routes, assets, and pages for what goes wrong."""

from collections.abc import Mapping
from http import HTTPStatus
from importlib.resources import files
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response as StarletteResponse
from starlette.staticfiles import StaticFiles

from dispatch.access.api_auth import WebContext
from dispatch.console.login import oidc, session
from dispatch.console.login.session import LogInFirst
from dispatch.console.pages import (
    board,
    case,
    case_contact,
    case_handing,
    customers,
    fleet_issues,
    handover,
    live,
    model_report,
    queue,
    tow_card,
)
from dispatch.console.pages.live import Hub
from dispatch.console.show.languages import N_
from dispatch.console.show.settings import Console
from dispatch.console.show.templates import render, translate

ROUTERS: Final = (
    session,
    oidc,
    queue,
    case,
    case_contact,
    case_handing,
    customers,
    board,
    fleet_issues,
    handover,
    tow_card,
    live,
    model_report,
)
_NOT_PAGES: Final = ("/v1/", "/health", "/ready", "/docs", "/openapi.json", "/assets", "/static")


class _Assets(StaticFiles):
    """Scripts and styles; a browser asks each time whether they have changed."""

    def file_response(self, *arguments: Any, **named: Any) -> StarletteResponse:
        response = super().file_response(*arguments, **named)
        response.headers["Cache-Control"] = "no-cache"
        return response


def add_console(app: FastAPI, office: WebContext, console: Console) -> None:
    """Add the pages to an application."""
    app.state.console = console
    app.state.hub = Hub(office)
    for module in ROUTERS:
        app.include_router(module.router)
    static = _Assets(directory=str(files("dispatch.console") / "static"))
    app.mount("/static", GZipMiddleware(static, minimum_size=500), name="static")
    app.add_exception_handler(LogInFirst, _log_in_first)


def is_page(request: Request) -> bool:
    """Whether a person in a browser asks, and not a program."""
    return not request.url.path.startswith(_NOT_PAGES)


def refusal(request: Request, status: int, office: WebContext) -> Response:
    """Return a page that says in one sentence what went wrong, with the way back."""
    reader = session.reader_of(request, office)
    sentence = _SENTENCES.get(status, _ANYTHING)
    context = {"sentence": translate(reader.language, sentence), "status": status}
    return render(reader, "refusal.html", context, status=status)


async def _log_in_first(request: Request, _error: Exception) -> Response:
    return session.to_login(request)


_ANYTHING: Final = N_("Something went wrong here. It has been noted.")
_SENTENCES: Final[Mapping[int, str]] = {
    HTTPStatus.FORBIDDEN: N_("Your role may not do this, or the page is too old: load it again."),
    HTTPStatus.NOT_FOUND: N_("There is nothing here for you. It may have been handed on."),
    HTTPStatus.METHOD_NOT_ALLOWED: N_("There is nothing here for you. It may have been handed on."),
    HTTPStatus.CONFLICT: N_("The case has changed meanwhile; here is how it stands now."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: N_("That is too much text."),
    HTTPStatus.UNPROCESSABLE_ENTITY: N_("This cannot be done as it stands."),
    HTTPStatus.SERVICE_UNAVAILABLE: N_("The database cannot be used just now. Try again."),
}
