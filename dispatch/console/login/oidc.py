"""Logging in with a company account: OpenID Connect, authorization code with PKCE."""

import json
import secrets
from typing import Annotated, Any, Final
from urllib.parse import urljoin

import httpx
import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import OAuth2Client
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from dispatch.access.api_auth import InOffice
from dispatch.access.people import Person, find_person
from dispatch.access.sessions import open_session
from dispatch.console.login.session import local, reader_of, remember
from dispatch.console.show.languages import N_
from dispatch.console.show.settings import Console, Oidc
from dispatch.console.show.templates import render, translate
from models.errors import NotThere, PaccError
from models.sql import Connection

router = APIRouter(prefix="/login/oidc", include_in_schema=False)
COOKIE: Final = "pacc_oidc"
_MINUTES: Final = 10  # between leaving for the provider and coming back
_SECONDS: Final = 10.0
_ALGORITHMS: Final = ["RS256", "PS256", "ES256", "EdDSA"]
# What a provider that is down, broken or lying leads to.
_UNBELIEVABLE: Final = (AuthlibBaseError, JoseError, httpx.HTTPError, ValueError, KeyError)
_log = structlog.get_logger(__name__)


class NotVouchedFor(PaccError):
    """The provider does not say who this is, or not in a way that can be believed."""

    status = 401


@router.get("")
def leave(request: Request, to: Annotated[str, Query()] = "/") -> Response:
    """Send somebody to the provider, with a note in their browser of what was asked."""
    oidc = _oidc(request)
    asked = {
        "state": secrets.token_urlsafe(24),
        "nonce": secrets.token_urlsafe(24),
        "verifier": secrets.token_urlsafe(48),
        "to": local(to),
    }
    with _client(oidc, request) as client:
        url, _ = client.create_authorization_url(
            _metadata(oidc)["authorization_endpoint"],
            state=asked["state"],
            nonce=asked["nonce"],
            code_verifier=asked["verifier"],
        )
    answer = RedirectResponse(url, 303)
    answer.set_cookie(
        COOKIE,
        json.dumps(asked),
        max_age=_MINUTES * 60,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
        path="/login/oidc",
    )
    return answer


@router.get("/back")
def come_back(
    request: Request,
    office: InOffice,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4000)] = "",
) -> Response:
    """Open a session for whom the provider vouches, if they are one of our people."""
    oidc = _oidc(request)
    reader = reader_of(request, office)
    console: Console = request.app.state.console
    try:
        asked = _asked(request, state)
        login = _vouched_for(oidc, request, asked, code)
        with office.engine.begin() as connection:
            person = _ours(connection, login)
            secret = open_session(connection, person, office.now(), console.shift)
    except (*_UNBELIEVABLE, NotVouchedFor) as error:
        _log.warning("a log-in with a company account failed", because=str(error))
        wrong = translate(reader.language, N_("Your company account does not open this door."))
        context = {"to": "/", "login": "", "wrong": wrong, "has_oidc": True}
        return render(reader, "login.html", context, status=401)
    answer = RedirectResponse(asked["to"], 303)
    answer.delete_cookie(COOKIE, path="/login/oidc")
    remember(request, answer, secret, console.shift)
    return answer


def _ours(connection: Connection, login: str) -> Person:
    person = find_person(connection, login)
    if person is None:
        raise NotVouchedFor(f"the provider vouches for somebody who is no person here: {login}")
    return person


def _oidc(request: Request) -> Oidc:
    oidc: Oidc | None = request.app.state.console.oidc
    if oidc is None:
        raise NotThere("No provider is set: PACC_OIDC_ISSUER.")
    return oidc


def _asked(request: Request, state: str) -> dict[str, str]:
    """Read the note of what was asked; only the browser that left comes back."""
    try:
        asked: dict[str, str] = json.loads(request.cookies.get(COOKIE, ""))
        is_same = secrets.compare_digest(asked["state"].encode(), state.encode())
    except (ValueError, KeyError, TypeError, AttributeError):
        is_same = False
        asked = {}
    if not is_same:
        raise NotVouchedFor("another log-in was begun, or none")
    return {**asked, "to": local(asked["to"])}


def _vouched_for(oidc: Oidc, request: Request, asked: dict[str, str], code: str) -> str:
    """Exchange the code, and believe the token only if it was made for us, now, for this log-in."""
    metadata = _metadata(oidc)
    with _client(oidc, request) as client:
        token = client.fetch_token(
            metadata["token_endpoint"],
            code=code,
            code_verifier=asked["verifier"],
            grant_type="authorization_code",
        )
    keys = KeySet.import_key_set(_get(metadata["jwks_uri"]))
    claims = jwt.decode(token["id_token"], keys, algorithms=_ALGORITHMS).claims
    jwt.JWTClaimsRegistry(
        leeway=60,
        iss={"essential": True, "value": metadata["issuer"]},
        aud={"essential": True, "value": oidc.client_id},
        exp={"essential": True},
        nonce={"essential": True, "value": asked["nonce"]},
    ).validate(claims)
    login = claims.get(oidc.claim)
    if not isinstance(login, str) or not login:
        raise NotVouchedFor(f"the provider's token has no {oidc.claim}")
    return login


def _client(oidc: Oidc, request: Request) -> Any:
    return OAuth2Client(
        oidc.client_id,
        oidc.client_secret,
        scope="openid profile email",
        redirect_uri=str(request.url_for("come_back")),
        code_challenge_method="S256",
        timeout=_SECONDS,
    )


def _metadata(oidc: Oidc) -> dict[str, Any]:
    base = oidc.issuer if oidc.issuer.endswith("/") else f"{oidc.issuer}/"
    metadata: dict[str, Any] = _get(urljoin(base, ".well-known/openid-configuration"))
    if str(metadata.get("issuer", "")).rstrip("/") != oidc.issuer.rstrip("/"):
        raise NotVouchedFor("the provider calls itself by another name than PACC_OIDC_ISSUER")
    return metadata


def _get(url: str) -> Any:
    answer = httpx.get(url, timeout=_SECONDS)
    answer.raise_for_status()
    return answer.json()
