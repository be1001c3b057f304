"""Alerts over HTTP: durable when accepted, refused with the reason."""

import json
import threading

import pytest
import sqlalchemy as sa

from models.words import Role
from tests.support.webs import Web, alert, web

__all__ = ["web"]


def test_an_alert_over_http_is_durable_when_it_is_accepted(web: Web) -> None:
    key = web.key(Role.ENGINEER)
    answer = web.asks(key, "/v1/alerts", alert(1))
    assert (answer.status_code, answer.json()["outcome"]) == (202, "joined")
    again = web.asks(key, "/v1/alerts", alert(1))
    assert (again.status_code, again.json()["outcome"]) == (202, "duplicate")
    ledger = web.centre.ledger
    (http,) = [topic for topic in ledger["topics"] if topic["feed"] == "http"]
    assert (http["position"], http["outcomes"]) == (2, {"joined": 1, "duplicate": 1})
    assert ledger["reconciled"]


def test_a_cloudevent_in_binary_mode_is_taken(web: Web) -> None:
    body = {name: value for name, value in alert(7).items() if name not in ("id", "source")}
    sent = web.asks(
        web.key(Role.ENGINEER),
        "/v1/alerts",
        body,
        ce_id="7",
        ce_source="test",
        ce_specversion="1.0",
        ce_type="pacc.alert",
    )
    assert (sent.status_code, sent.json()["outcome"]) == (202, "joined")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "not_json"),
        (b"\xff", "not_utf8"),
        (b"[]", "not_an_object"),
        (json.dumps({**alert(1), "vin": "short"}).encode(), "bad_vin"),
        (json.dumps({"id": "1", "source": "s"}).encode(), "missing_field"),
    ],
)
def test_an_alert_that_cannot_be_used_is_refused_with_the_reason(
    web: Web, body: bytes, reason: str
) -> None:
    answer = web.client.post(
        "/v1/alerts", content=body, headers={"Authorization": f"Bearer {web.key(Role.ENGINEER)}"}
    )
    assert (answer.status_code, answer.json()["reason"]) == (422, reason)
    assert [topic["feed"] for topic in web.centre.ledger["topics"]] == ["tape"]


def test_several_servers_take_alerts_in_at_once_and_lose_none(engine: sa.Engine) -> None:
    servers = [Web(engine) for _ in range(3)]
    for server in servers:
        server.app.openapi()  # as `pacc serve` does: no route is built by two requests at once
    key = servers[0].key(Role.ENGINEER)
    statuses: list[int] = []

    def send(server: Web, first: int) -> None:
        statuses.extend(
            server.asks(key, "/v1/alerts", alert(number)).status_code
            for number in range(first, first + 10)
        )

    threads = [
        threading.Thread(target=send, args=(server, place * 10))
        for place, server in enumerate(servers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.count(202) == 30
    assert servers[0].centre.outcomes() == {"opened": 1, "repeated": 29}
    assert servers[0].centre.ledger["reconciled"]
