"""Logging in with a company account, against a provider of this test's own on loopback."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from httpx2 import Response
from joserfc import jwt
from joserfc.jwk import RSAKey

from dispatch.access.people import disable_person
from dispatch.console.show.settings import Oidc
from models.words import Role
from tests.support.consoles import Console
from tests.worlds import START

OURS, THEIRS = RSAKey.generate_key(2048, {"kid": "k"}), RSAKey.generate_key(2048, {"kid": "k"})


class Provider(ThreadingHTTPServer):
    """Vouches for `who`, and can be made to lie in several ways."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.issuer = f"http://127.0.0.1:{self.server_address[1]}"
        self.lies: dict[str, Any] = {}
        self.key = OURS
        self.asked: dict[str, str] = {}

    def token(self, form: dict[str, str]) -> dict[str, Any]:
        """Exchange a code, if its verifier is right."""
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        assert challenge == self.asked["code_challenge"]
        assert form["code"] == "the code"
        claims = {
            "iss": self.issuer,
            "aud": "pacc",
            "sub": "1",
            "preferred_username": "li",
            "nonce": self.asked["nonce"],
            "exp": int(time.time()) + 60,
            **self.lies,
        }
        token = jwt.encode({"alg": "RS256", "kid": "k"}, claims, self.key)
        return {"access_token": "x", "token_type": "Bearer", "id_token": token}


class Answers(BaseHTTPRequestHandler):
    """The provider's three documents."""

    server: Provider

    def do_GET(self) -> None:
        """Metadata and keys."""
        issuer = self.server.issuer
        if self.path == "/jwks":
            self._say({"keys": [OURS.as_dict(private=False)]})
        else:
            places = {name: f"{issuer}/{name}" for name in ("authorize", "token", "jwks")}
            self._say(
                {
                    "issuer": issuer,
                    "authorization_endpoint": places["authorize"],
                    "token_endpoint": places["token"],
                    "jwks_uri": places["jwks"],
                }
            )

    def do_POST(self) -> None:
        """The token."""
        text = self.rfile.read(int(self.headers["content-length"])).decode()
        self._say(self.server.token({name: one[0] for name, one in parse_qs(text).items()}))

    def _say(self, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Be quiet."""


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A provider that answers while the test runs."""
    server = Provider()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def room(engine: sa.Engine, provider: Provider) -> Iterator[Console]:
    """A console that knows the provider, and one person."""
    console = Console(engine)
    oidc = Oidc(provider.issuer, "pacc", "our secret")
    console.app.state.console = replace(console.app.state.console, oidc=oidc)
    console.person("li", Role.OPERATOR, "rsa-beijing")
    with console.client:
        yield console


def goes(room: Console, provider: Provider, **change: str) -> Response:
    """Go to the provider and come back with what it says."""
    left = room.client.get("/login/oidc?to=/wall", follow_redirects=False)
    url = urlsplit(left.headers["location"])
    assert f"{url.scheme}://{url.netloc}" == provider.issuer
    provider.asked = {name: one[0] for name, one in parse_qs(url.query).items()}
    assert provider.asked["code_challenge_method"] == "S256"
    back = {"state": provider.asked["state"], "code": "the code", **change}
    return room.client.get("/login/oidc/back", params=back, follow_redirects=False)


def test_whom_the_provider_vouches_for_gets_in(room: Console, provider: Provider) -> None:
    assert "/login/oidc" in room.client.get("/login").text
    answer = goes(room, provider)
    assert (answer.status_code, answer.headers["location"]) == (303, "/wall")
    assert room.client.get("/").url.path == "/queue"


@pytest.mark.parametrize(
    "lie",
    [
        {"iss": "http://127.0.0.1:1"},
        {"aud": "another"},
        {"nonce": "old"},
        {"exp": int(time.time()) - 600},
        {"preferred_username": "stranger"},
        {"preferred_username": None},
    ],
    ids=lambda lie: next(iter(lie)),
)
def test_a_token_that_was_not_made_for_this_log_in_opens_nothing(
    room: Console, provider: Provider, lie: dict[str, Any]
) -> None:
    provider.lies = lie
    assert goes(room, provider).status_code == 401
    assert room.client.get("/queue").url.path == "/login"


def test_a_token_with_another_signature_opens_nothing(room: Console, provider: Provider) -> None:
    provider.key = THEIRS
    assert goes(room, provider).status_code == 401


def test_only_the_browser_that_left_comes_back(room: Console, provider: Provider) -> None:
    assert goes(room, provider, state="another").status_code == 401
    room.client.cookies.clear()
    answer = room.client.get("/login/oidc/back", params={"state": "x", "code": "the code"})
    assert answer.status_code == 401


def test_a_disabled_person_does_not_get_in_this_way_either(
    room: Console, provider: Provider
) -> None:
    with room.centre.engine.begin() as connection:
        disable_person(connection, "li", START)
    assert goes(room, provider).status_code == 401


def test_without_a_provider_there_is_no_such_door(engine: sa.Engine) -> None:
    room = Console(engine)
    assert "/login/oidc" not in room.client.get("/login").text
    assert room.client.get("/login/oidc").status_code == 404
