"""The web application: the people's API, alerts in, the data engineer's views, health."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, Final

import fastapi_offline
import sqlalchemy as sa
import structlog
from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

import pacc
from dispatch.access.api_auth import AsEngineer, InOffice, WebContext
from dispatch.api import reading
from dispatch.api.answers import Problem
from dispatch.api.requests import Ident
from dispatch.console.pages.live import running
from dispatch.console.show.settings import Console
from dispatch.console.site import add_console, is_page, refusal
from ingest.store import ledger, quarantine
from models.errors import PaccError
from models.sql import OUTAGES
from models.words import Reject
from pacc.feeds.http import Intake
from pacc.feeds.scout_status import scout_health
from pacc.process.database import require_schema
from pacc.watch.canary_status import read_canary_status, worker_health
from pacc.watch.metrics import Metrics

_LOCKED: Final = "55P03"  # lock_not_available: PostgreSQL, appendix A
_ASSETS: Final = Path(fastapi_offline.__file__).parent / "static"
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_log = structlog.get_logger(__name__)

engineering = APIRouter(prefix="/v1", responses=reading.PROBLEMS)
health = APIRouter(tags=["health"])


async def _raw(request: Request) -> bytes:
    return await request.body()


@engineering.post(
    "/alerts",
    status_code=202,
    tags=["alerts"],
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "description": "The canonical alert, or a CloudEvent that holds one.",
                    }
                }
            },
        },
    },
)
def take_alert(
    request: Request, office: InOffice, _actor: AsEngineer, body: Annotated[bytes, Depends(_raw)]
) -> dict[str, Any]:
    """Take an alert in. 202 means that it is durable; `outcome` says what became of it."""
    intake: Intake = request.app.state.intake
    headers = tuple(
        (name.replace("ce-", "ce_", 1) if name.startswith("ce-") else name, value.encode("latin-1"))
        for name, value in request.headers.items()
        if name == "content-type" or name.startswith("ce-")
    )
    return intake.take_in(body, headers, office.now())


@engineering.get("/ledger", tags=["streams"])
def show_ledger(office: InOffice, _actor: AsEngineer) -> dict[str, Any]:
    """Show how every record ended, and whether it all adds up."""
    with office.engine.begin() as connection:
        return ledger.ledger(connection)


@engineering.get("/quarantine", tags=["streams"])
def list_quarantine(
    office: InOffice,
    _actor: AsEngineer,
    reason: Reject | None = None,
    topic: Annotated[str | None, Query(max_length=249, pattern=r"^[A-Za-z0-9._\-]+$")] = None,
    after: Ident | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> dict[str, Any]:
    """List what could not be used, with reason and coordinates."""
    with office.engine.begin() as connection:
        rows = quarantine.listing(
            connection, reason=reason, topic=topic, after=after, limit=limit + 1
        )
    page = rows[:limit]
    return {"items": page, "next": page[-1]["quarantine_id"] if len(rows) > limit else None}


@engineering.get("/quarantine/{quarantine_id}", tags=["streams"])
def show_quarantine(office: InOffice, _actor: AsEngineer, quarantine_id: Ident) -> dict[str, Any]:
    """Show one record with its untouched bytes, as base64."""
    with office.engine.begin() as connection:
        return quarantine.show(connection, quarantine_id)


@health.get("/health")
def alive() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "alive", "version": pacc.__version__}


@health.get("/ready", responses={503: {"model": Problem}})
def ready(request: Request, office: InOffice) -> dict[str, Any]:
    """Say that the database answers with the right schema, what ranks (a model or rules), how the
    workers are, and when the canary was last seen in a queue (null: none is sent)."""
    require_schema(office.engine)
    intake: Intake = request.app.state.intake
    with office.engine.begin() as connection:
        now, canary = office.now(), read_canary_status(connection)
        return {
            "status": "ready",
            **intake.ranking(connection),
            "stream": worker_health(connection, now),
            "scout": scout_health(connection, now),
            "canary": canary.as_document(now) if canary else None,
        }


def make_app(
    office: WebContext, intake: Intake, metrics: Metrics, body_limit: int, console: Console
) -> FastAPI:
    """Build the application. Only health, log-in and documentation need no credentials."""
    app = FastAPI(
        title="PACC 主动客户支持",
        version=pacc.__version__,
        description="Vehicle fault alerts become customer care before the customer calls.",
        docs_url=None,
        redoc_url=None,
        lifespan=running,
    )
    app.state.office = office
    app.state.intake = intake
    add_console(app, office, console)
    app.include_router(health)
    app.include_router(reading.router)
    app.include_router(engineering)
    app.mount("/assets", StaticFiles(directory=_ASSETS), name="assets")
    app.add_api_route("/docs", _docs, include_in_schema=False)
    app.add_exception_handler(PaccError, _expected)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    for outage in (
        *OUTAGES,
        sa.exc.TimeoutError,
    ):  # TimeoutError: every connection of the pool is in use
        app.add_exception_handler(outage, _outage)
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=body_limit)
    app.middleware("http")(_middleware(metrics))
    return app


def _docs() -> HTMLResponse:
    """Show the documentation; its script and style come from this host, not from another."""
    return get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="PACC API",
        swagger_js_url="/assets/swagger-ui-bundle.js",
        swagger_css_url="/assets/swagger-ui.css",
        swagger_favicon_url="/assets/favicon.png",
    )


def _middleware(
    metrics: Metrics,
) -> Callable[[Request, Callable[[Request], Awaitable[Response]]], Awaitable[Response]]:
    """Return what wraps every request: last resort for errors, metrics, headers of security."""

    async def handle(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        try:
            response = await call_next(request)
        except Exception:  # noqa: BLE001 - the last resort: noted, answered, never a traceback
            _log.exception("a request failed", method=request.method, path=request.url.path)
            response = problem(500, "Something went wrong here. It has been noted.")
        if response.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            response = problem(413, "The body is larger than PACC_BODY_LIMIT allows.")
        route = getattr(request.scope.get("route"), "name", "none")
        metrics.observe_answer(request.method, route, response.status_code)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return handle


def problem(
    status: int,
    detail: str,
    facts: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Answer with problem details (RFC 9457)."""
    document = {
        **(facts or {}),
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    kind = "application/problem+json"
    return JSONResponse(document, status, dict(headers or {}), media_type=kind)


async def _expected(request: Request, error: Exception) -> Response:
    assert isinstance(error, PaccError)
    if is_page(request):
        return await run_in_threadpool(refusal, request, error.status, request.app.state.office)
    headers = {"WWW-Authenticate": "Bearer"} if error.status == HTTPStatus.UNAUTHORIZED else None
    return problem(error.status, str(error), error.facts, headers)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if is_page(request):
        return await run_in_threadpool(refusal, request, 404, request.app.state.office)
    mistakes = [
        {"where": "/".join(str(part) for part in mistake["loc"]), "what": mistake["msg"]}
        for mistake in error.errors()
    ]
    detail = "; ".join(f"{mistake['where']}: {mistake['what']}" for mistake in mistakes)
    return problem(422, detail, {"mistakes": mistakes})


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if is_page(request):
        office = request.app.state.office
        return await run_in_threadpool(refusal, request, error.status_code, office)
    return problem(error.status_code, str(error.detail), None, error.headers)


async def _outage(_request: Request, error: Exception) -> Response:
    cause = getattr(error, "orig", error)
    if getattr(cause, "sqlstate", None) == _LOCKED:
        return problem(
            503,
            "Somebody else has this vehicle in hand just now. Try again.",
            None,
            {"Retry-After": "1"},
        )
    _log.error("the database cannot be used", error=str(cause))
    return problem(
        503, "The database cannot be used just now. Try again.", None, {"Retry-After": "5"}
    )
