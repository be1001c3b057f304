"""The HTTP API: who may see and do what, and what answers hold."""

import re
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dispatch.access.api_keys import revoke_key
from models import tables as t
from models.words import Role
from tests.support.webs import OPEN_TO_ALL, Web, blank, routes, web
from tests.worlds import BEIJING, CAR, OTHER, START, Stream

__all__ = ["web"]


def test_an_operator_works_a_case_through_to_its_end(web: Web) -> None:
    li = web.key(Role.OPERATOR, "rsa-beijing", "Li")
    (task,) = web.asks(li, "/v1/tasks").json()["items"]
    assert task["priority"] == "urgent"
    mine = web.asks(li, "/v1/tasks/next", {}).json()
    assert (mine["task_id"], mine["holder"], mine["state"]) == (task["task_id"], "Li", "claimed")
    assert mine["action"] == "stop_now"
    assert mine["reasons"][0]["zh"]
    for step in [*mine["steps"][:1], "set-out", "arrive"]:
        answer = web.asks(li, f"/v1/tasks/{task['task_id']}/{step}", {"note": "ok"})
        assert answer.status_code == 200, answer.text
    done = web.asks(li, f"/v1/tasks/{task['task_id']}/complete", {"disposition": "fixed_on_site"})
    assert (done.json()["state"], done.json()["disposition"]) == ("done", "fixed_on_site")
    case = web.asks(li, f"/v1/cases/{task['case_id']}").json()
    assert case["state"] == "closed"
    kinds = [entry["kind"] for entry in case["timeline"]]
    assert {"task_claimed", "task_on_site", "case_closed"} <= set(kinds)
    assert web.asks(li, "/v1/tasks/next", {}).status_code == 404


def test_two_silences_of_one_moment_are_two(web: Web) -> None:
    boss = web.key(Role.SUPERVISOR)
    body = {"kind": "silence", "reason": "test"}
    answers = [web.asks(boss, f"/v1/vehicles/{CAR}/silences", body) for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 201]
    assert answers[0].json() != answers[1].json()


def test_law_8_another_desks_task_is_not_there_on_any_route(web: Web) -> None:
    """Every route that the application declares, with ids that are another desk's or nobody's."""
    rows = {row["queue"]: row for row in web.centre.rows(t.task)}
    theirs = rows["dealer"]
    boss = web.key(Role.SUPERVISOR)
    silence = web.asks(
        boss, f"/v1/vehicles/{OTHER}/silences", {"kind": "silence", "reason": "test"}
    ).json()
    issue = fleet_issue_at(web, theirs["desk"])
    foreign = {
        "task_id": theirs["task_id"],
        "case_id": theirs["case_id"],
        "vin": OTHER,
        "silence_id": silence["silence_id"],
        "issue_id": issue,
    }
    nobodys = {
        "task_id": "0" * 32,
        "case_id": "0" * 32,
        "vin": "LBV8P2C05L7F99999",
        "silence_id": "0" * 32,
        "issue_id": "0" * 32,
    }
    bodies: dict[str, Any] = {
        "take-over": {"reason": "r"},
        "transfer": {"desk": "rsa-wuhan", "reason": "r"},
        "complete": {"disposition": "false_alarm"},
        "attempt": {"channel": "call"},
        "silences": {"kind": "silence", "reason": "r"},
    }
    keys = [
        web.key(Role.OPERATOR, "rsa-beijing"),
        web.key(Role.SUPERVISOR, "rsa-beijing"),
        web.key(Role.DEALER, "dealer-shanghai-1"),
    ]
    before = {table.name: web.centre.rows(table) for table in (t.task, t.case, t.entry, t.silence)}
    tried = 0
    for route in routes(web):
        names = set(re.findall(r"{(\w+)}", route.path))
        if not names & set(foreign):
            continue
        for method in sorted(route.methods or ()):
            body = bodies.get(route.path.rsplit("/", 1)[-1], {}) if method == "POST" else None
            body = {"reason": "r"} if "issue_id" in names else body
            for key in keys:
                asked = [
                    web.asks(key, route.path.format(**ids), body, method=method)
                    for ids in (foreign, nobodys)
                ]
                assert asked[0].status_code == asked[1].status_code, route.path
                assert asked[0].status_code in (403, 404), (route.path, asked[0].text)
                assert blank(asked[0], foreign) == blank(asked[1], nobodys)
                tried += 1
    assert tried >= 3 * 20
    assert before == {
        table.name: web.centre.rows(table) for table in (t.task, t.case, t.entry, t.silence)
    }
    no_list_shows(web, keys, theirs["desk"], {theirs["task_id"], issue, OTHER})


def no_list_shows(web: Web, keys: list[str], desk: str, hidden: set[str]) -> None:
    """No list shows any of these words to any of these keys."""
    for path in (
        "/v1/tasks",
        "/v1/cases",
        "/v1/silences",
        f"/v1/cases?vin={OTHER}",
        f"/v1/tasks?desk={desk}",
        "/v1/tasks?state=queued",
        "/v1/fleet-issues?over=true",
    ):
        for key in keys:
            shown = web.asks(key, path).text
            assert not [word for word in hidden if word in shown]


def fleet_issue_at(web: Web, desk: str) -> str:
    """Write a fleet issue whose tasks lie at one desk."""
    row = {
        "issue_id": "a" * 32,
        "code": "dtc:B1342",
        "model": "m",
        "software": "s",
        "recent": 1,
        "state": "watched",
        "first_seen": START,
        "last_seen": START,
        "vehicles": 60,
        "grew_at": START,
        "grew_stream": START,
        "grew_from": 0,
        "desks": {desk: 1},
        "changed_by": "x",
        "changed_at": START,
        "reason": "",
    }
    with web.centre.engine.begin() as connection:
        connection.execute(sa.insert(t.fleet_issue).values(row))
    return str(row["issue_id"])


def test_nobody_without_a_key_sees_anything_but_health_and_the_documentation(web: Web) -> None:
    revoked = web.key(Role.ENGINEER)
    with web.centre.engine.begin() as connection:
        revoke_key(connection, revoked.split("_")[1], START)
    for path, operations in web.app.openapi()["paths"].items():
        for method in operations:
            url = re.sub(r"{\w+}", "x", path)
            for headers in ({}, {"Authorization": f"Bearer {revoked}"}):
                answer = web.client.request(method.upper(), url, headers=headers, content=b"{}")
                if path in OPEN_TO_ALL:
                    assert answer.status_code == 200
                else:
                    assert answer.status_code == 401, (path, answer.text)
                    assert answer.headers["www-authenticate"] == "Bearer"


def test_an_owners_number_is_given_only_with_consent_and_a_pause_is_bounded(web: Web) -> None:
    li = web.key(Role.OPERATOR, "rsa-beijing", "Li")
    path = f"/v1/tasks/{web.asks(li, '/v1/tasks/next', {}).json()['task_id']}"
    for has_consent, phone in ((False, None), (True, "+86 555 0100")):
        with web.centre.engine.begin() as connection:
            connection.execute(sa.delete(t.contact))
            connection.execute(
                sa.insert(t.contact).values(
                    vin=CAR, name="Gao", phone="+86 555 0100", has_consent=has_consent
                )
            )
        owner = web.asks(li, path).json()["owner"]
        assert owner == {
            "name": "Gao",
            "phone": phone,
            "language": None,
            "has_consent": has_consent,
        }
    refused = web.asks(li, f"{path}/pause", {"minutes": 11})
    assert (refused.status_code, refused.json()["field"]) == (422, "minutes")
    paused = web.asks(li, f"{path}/pause", {}).json()
    at = datetime.fromisoformat(paused["wake_at"])
    assert (at - web.centre.now).total_seconds() == 600


def test_an_engineer_looks_and_does_not_work_and_sees_no_owner(web: Web) -> None:
    key = web.key(Role.ENGINEER)
    task = web.asks(key, "/v1/tasks").json()["items"][0]
    assert web.asks(key, f"/v1/tasks/{task['task_id']}").json()["owner"] is None
    assert web.asks(key, f"/v1/tasks/{task['task_id']}/claim", {}).status_code == 403
    assert web.asks(key, "/v1/ledger").json()["reconciled"]
    operator = web.key(Role.OPERATOR, "rsa-beijing")
    for path in ("/v1/ledger", "/v1/quarantine", "/v1/quarantine/x"):
        assert web.asks(operator, path).status_code == 403
    assert web.asks(operator, "/v1/alerts", {}).status_code == 403


def test_the_same_request_twice_is_carried_out_once(web: Web) -> None:
    li = web.key(Role.OPERATOR, "rsa-beijing", "Li")
    first = web.asks(li, "/v1/tasks/next", {}, Idempotency_Key="k1")
    again = web.asks(li, "/v1/tasks/next", {}, Idempotency_Key="k1")
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
    path = f"/v1/tasks/{first.json()['task_id']}/contact"
    assert web.asks(li, path, {"note": "a"}, Idempotency_Key="k1").status_code == 422
    for _ in range(2):
        assert web.asks(li, path, {"note": "a"}, Idempotency_Key="k2").status_code == 200
    kinds = [row["kind"] for row in web.centre.rows(t.entry)]
    assert (kinds.count("task_claimed"), kinds.count("task_contacted")) == (1, 1)


def test_pages_follow_each_other_without_a_gap(web: Web) -> None:
    stream = Stream()
    stream.records = []
    for number in range(25):
        stream.says(f"LBV8P2C05L7F1{number:04d}", "dtc:B1342", number, id=f"p{number}", **BEIJING)
    web.centre.worker.take(stream.records[0].partition, 0)
    web.centre.worker.process(stream.records)
    boss = web.key(Role.SUPERVISOR)
    for path, name in (("/v1/tasks", "task_id"), ("/v1/cases", "case_id")):
        seen: list[str] = []
        following = ""
        while True:
            page = web.asks(boss, f"{path}?limit=7{following}").json()
            seen += [item[name] for item in page["items"]]
            if page["next"] is None:
                break
            following = f"&after={page['next']}"
        assert len(seen) == len(set(seen)) == 27
        whole = web.asks(boss, f"{path}?limit=500").json()["items"]
        assert seen == [item[name] for item in whole]
        for broken in ("x", "W10", "WzEsMiwzXQ"):
            assert web.asks(boss, f"{path}?after={broken}").status_code == 422


def test_the_documentation_loads_nothing_from_another_host(web: Web) -> None:
    page = web.client.get("/docs").text
    links = re.findall(r"(?:src|href|url)\s*[=:]\s*['\"]([^'\"]+)", page)
    assert links
    for link in links:
        assert link.startswith("/"), link
        assert web.client.get(link).status_code == 200


def test_metrics_count_answers_by_route_and_hold_no_vin(web: Web) -> None:
    li = web.key(Role.OPERATOR, "rsa-beijing")
    web.asks(li, f"/v1/vehicles/{CAR}/silences", {"kind": "silence", "reason": "r"})
    web.centre.now = datetime.fromisoformat("2026-01-15T02:03:00+00:00")
    with web.centre.engine.begin() as connection:
        web.metrics.read_database(connection, web.centre.now)
    registry = web.metrics.registry
    labels = {"method": "POST", "route": "silence", "status": "403"}
    assert registry.get_sample_value("pacc_http_requests_total", labels) == 1
    assert registry.get_sample_value("pacc_oldest_unclaimed_urgent_seconds") == 180
    spelled = str([[sample.labels for sample in metric.samples] for metric in registry.collect()])
    assert CAR not in spelled
