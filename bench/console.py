"""How fast the console answers with 100,000 open cases, and what open streams cost.

    make bench-console
    python -m bench.console 20000

A PostgreSQL and a `pacc serve` of its own on loopback, ended afterwards. The anchor of the same run
is one request that only finds the session (`/preferences` without a change).
"""

import asyncio
import json
import re
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from bench.parts.stage import prepare
from models.batch import Partition, Record
from models.words import Feed
from pacc.pipeline.limits import Limits
from pacc.pipeline.worker import Worker
from pacc.process.database import make_engine
from pacc.process.settings import Settings
from pacc.wiring.pipeline import make_policy
from tests.servers.postgres import running_postgres
from tests.servers.processes import free_port
from tests.support.commands import Pacc, is_ready, waits

ROUNDS = 60
STREAMS = 200
LISTENERS = 10
EVENTS = 20


def records(count: int, places: list[tuple[float, float]]) -> list[Record]:
    """Return one limited fault on each of so many cars, near the roadside centres by turns."""
    began = datetime.now(UTC) - timedelta(minutes=5)
    alerts = []
    for number in range(count):
        at = began + timedelta(milliseconds=number)
        lat, lon = places[number % len(places)]
        document = {
            "id": str(number),
            "source": "bench",
            "vin": f"LZZS1M0L{number:09d}",
            "observed_at": at.isoformat(),
            "code": "dtc:P0A78",
            "severity": "limited",
            "motion": "moving",
            "model": "iX3",
            "position": {"lat": lat, "lon": lon},
        }
        stamp = int(at.timestamp() * 1000)
        partition = Partition(Feed.TAPE, "bench", 0)
        alerts.append(Record(partition, number, stamp, None, json.dumps(document).encode()))
    return alerts


def fill(url: str, count: int) -> None:
    """Open so many cases through the real pipeline."""
    prepare(url)
    engine = make_engine(url)
    policy = make_policy(Settings(), engine)
    desks = [desk for desk in policy.directory.desks if desk.kind == "roadside"]
    worker = Worker(engine, policy, {}, "bench", Limits())
    everything = records(count, [(desk.lat, desk.lon) for desk in desks])
    worker.take(everything[0].partition, 0)
    for first in range(0, count, 5000):
        worker.process(everything[first : first + 5000])
        print(f"\r  {min(count, first + 5000):,} cases", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("analyze")
    engine.dispose()


async def enter(url: str, login: str, password: str) -> tuple[httpx.AsyncClient, str]:
    """Log in; return the client and the word that goes with every change."""
    limits = httpx.Limits(max_connections=STREAMS + 50)
    client = httpx.AsyncClient(base_url=url, follow_redirects=True, timeout=60, limits=limits)
    await client.post("/login", data={"login": login, "password": password})
    token = re.search(r'data-csrf="([^"]+)"', (await client.get("/handover")).text)
    assert token is not None
    return client, token[1]


async def timed(do: Callable[[], Awaitable[httpx.Response]], rounds: int = ROUNDS) -> list[float]:
    """Return the milliseconds of each of some calls, sorted."""
    spent = []
    for _ in range(rounds):
        start = time.perf_counter()
        answer = await do()
        spent.append((time.perf_counter() - start) * 1000)
        assert answer.status_code in (200, 303), answer.status_code
    return sorted(spent)


def p95(spent: list[float]) -> float:
    """Return the value that 95 of 100 stay below."""
    return spent[min(len(spent) - 1, round(len(spent) * 0.95))]


async def events(url: str, client: httpx.AsyncClient, key: str) -> list[float]:
    """Return the milliseconds from an alert's 202 to its event, over ten open streams."""
    seen: dict[str, list[float]] = {}
    asked = asyncio.Event()

    async def listen(number: int) -> None:
        async with client.stream("GET", "/live", timeout=None) as stream:
            async for line in stream.aiter_lines():
                if line.startswith("data:") and '"tasks"' in line and "opened" in line:
                    seen.setdefault(str(number), []).append(time.perf_counter())
                if asked.is_set():
                    return

    listeners = [asyncio.create_task(listen(number)) for number in range(LISTENERS)]
    await asyncio.sleep(3)
    spent = []
    async with httpx.AsyncClient(base_url=url, timeout=30) as sender:
        for number in range(EVENTS):
            before = {name: len(times) for name, times in seen.items()}
            alert = {
                "id": f"event {number}",
                "source": "bench",
                "vin": f"LZZS1M0M{number:09d}",
                "observed_at": datetime.now(UTC).isoformat(),
                "code": "dtc:P0C01",
                "severity": "stop",
                "motion": "moving",
                "position": {"lat": 39.9, "lon": 116.4},
            }
            headers = {"Authorization": f"Bearer {key}"}
            start = time.perf_counter()
            answer = await sender.post("/v1/alerts", json=alert, headers=headers)
            assert answer.status_code == 202, answer.text
            while (
                len([n for n, times in seen.items() if len(times) > before.get(n, 0)]) < LISTENERS
            ):
                await asyncio.sleep(0.005)
            spent += [(times[-1] - start) * 1000 for times in seen.values()]
    asked.set()
    for listener in listeners:
        listener.cancel()
    await asyncio.gather(*listeners, return_exceptions=True)
    return sorted(spent)


def resident_mb(pid: int) -> float:
    """Return the memory of a process."""
    text = Path(f"/proc/{pid}/status").read_text("ascii")
    resident = re.search(r"VmRSS:\s+(\d+) kB", text)
    return int(resident[1]) / 1024 if resident else 0.0


async def measure(url: str, people: dict[str, str], key: str, pid: int) -> dict[str, float]:
    """Measure all figures of a run."""
    li, csrf = await enter(url, "li", people["li"])
    zhao, _ = await enter(url, "zhao", people["zhao"])
    figures: dict[str, float] = {}
    figures["anchor: session only, p95 ms"] = p95(
        await timed(lambda: li.post("/preferences", data={"csrf": csrf, "to": "/health"}))
    )
    figures["queue of a desk, p95 ms"] = p95(await timed(lambda: li.get("/queue/rows")))
    figures["queue of all desks, p95 ms"] = p95(await timed(lambda: zhao.get("/queue/rows")))
    figures["next case and its page, p95 ms"] = p95(
        await timed(lambda: li.post("/next", data={"csrf": csrf}))
    )
    page = (await li.get("/queue/rows")).text
    free = iter(re.findall(r'action="/task/(\w+)/row/claim"', page))
    figures["claim in the row, p95 ms"] = p95(
        await timed(lambda: li.post(f"/task/{next(free)}/row/claim", data={"csrf": csrf}), 30)
    )
    figures["event to ten streams, p95 ms"] = p95(await events(url, li, key))
    figures["serve before streams, MB"] = resident_mb(pid)
    streams = [asyncio.create_task(keep_open(li)) for _ in range(STREAMS)]
    await asyncio.sleep(15)
    assert not any(stream.done() for stream in streams)
    figures[f"serve with {STREAMS} streams, MB"] = resident_mb(pid)
    for stream in streams:
        stream.cancel()
    await asyncio.gather(*streams, return_exceptions=True)
    await li.aclose()
    await zhao.aclose()
    return figures


async def keep_open(client: httpx.AsyncClient) -> None:
    """Keep a stream open."""
    async with client.stream("GET", "/live", timeout=None) as stream:
        async for _ in stream.aiter_lines():
            pass


def main() -> None:
    """Print the figures of one run."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with running_postgres() as server:
        fill(server, count)
        port = free_port()
        pacc = Pacc(PACC_DATABASE_URL=server, PACC_PORT=str(port), PACC_LOG_LEVEL="error")
        people = {
            "li": pacc("person", "add", "li", "--role", "operator", "--desk", "rsa-beijing"),
            "zhao": pacc("person", "add", "zhao", "--role", "supervisor"),
        }
        passwords = {name: one["password"] for name, one in people.items()}
        key = pacc("key", "create", "--role", "engineer")["key"]
        url = f"http://127.0.0.1:{port}"
        with pacc.runs("serve") as process:
            waits(lambda: is_ready(url))
            figures = asyncio.run(measure(url, passwords, key, process.pid))
    anchor = figures["anchor: session only, p95 ms"]
    print(f"{count:,} open cases")
    for name, value in figures.items():
        ratio = f"{value / anchor:8.1f} × anchor" if name.endswith("ms") else ""
        print(f"  {name:36} {value:9.1f} {ratio}")


if __name__ == "__main__":
    main()
