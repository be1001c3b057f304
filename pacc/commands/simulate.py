"""`pacc simulate`: a fleet simulated onto a tape or a topic, with its truth."""

import csv
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from ingest.tape import write_tape
from models.batch import Message, Record
from pacc.process.clock import utc_now
from pacc.process.settings import Settings, load_settings
from pacc.process.terminal import AsJson, print_facts, progress, track
from pacc.simulation.day import summary
from pacc.simulation.fleet import cars, master_row
from pacc.simulation.stream import START, Simulation, Trouble
from pacc.simulation.update import parse_update

_SEND_AT_ONCE = 500
Seed = Annotated[int, typer.Option(help="The same seed gives the same stream.")]
Share = Annotated[float, typer.Option(min=0, max=1)]
Start = Annotated[
    datetime | None,
    typer.Option(
        help="When the first day begins: a fixed day on a tape, so that it ends now on a topic."
    ),
]
Acceleration = Annotated[
    float | None,
    typer.Option(min=0, help="How many times more often things begin to fail than really."),
]
BadUpdate = Annotated[
    str | None,
    typer.Option(help="MODEL@HOUR[:CODE]: from that hour a bad update is in that model line."),
]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("simulate")(simulate)


def simulate(
    vehicles: Annotated[int, typer.Option(min=1, max=20_000_000)] = 2000,
    hours: Annotated[float, typer.Option(min=0.1, max=24 * 366)] = 24,
    seed: Seed = 1,
    tape: Annotated[Path | None, typer.Option(help="The tape to write.")] = None,
    topic: Annotated[str | None, typer.Option(help="The Kafka topic to send to.")] = None,
    fleet: Annotated[Path | None, typer.Option(help="Write the fleet's master data here.")] = None,
    truth: Annotated[Path | None, typer.Option(help="Write what was true here.")] = None,
    duplicates: Share = 0.03,
    late: Share = 0.02,
    broken: Share = 0.005,
    start: Start = None,
    acceleration: Acceleration = None,
    bad_update: BadUpdate = None,
    as_json: AsJson = False,
) -> None:
    """Simulate a fleet whose truth is known."""
    if (tape is None) == (topic is None):
        raise typer.BadParameter("say either --tape or --topic")
    begins = START if start is None else start.astimezone()
    if start is None and topic is not None:
        begins = utc_now() - timedelta(hours=hours)  # a broker deletes what is old
    trouble = Trouble(duplicates, late, broken)
    name = topic or "pacc.alerts"
    update = None if bad_update is None else parse_update(bad_update)
    simulation = Simulation(
        name, vehicles, hours, seed, trouble, start=begins, acceleration=acceleration, update=update
    )
    with progress("simulate") as bar:
        records = simulation.records()
        if tape is not None:
            write_tape(track(bar, records), tape)
        else:
            send(load_settings(), records, name)
    numbers = _write_files(simulation, fleet, truth)
    print_facts({"alerts": len(records), "vehicles": vehicles, "truth": numbers}, as_json=as_json)


def _write_files(
    simulation: Simulation, fleet_file: Path | None, truth_file: Path | None
) -> dict[str, int]:
    """Write the master data and the truth where asked for; return the truth in numbers."""
    if fleet_file is not None:
        write_fleet(simulation, fleet_file)
    if truth_file is not None:
        write_truth(simulation, truth_file)
    return summary([truth for _, truth in simulation.truths])


def send(settings: Settings, records: Sequence[Record], topic: str) -> None:
    """Send records to a topic with their keys and times; a broker takes none from the future."""
    from pacc.wiring.kafka import make_kafka_sender  # noqa: PLC0415 - a tape needs no Kafka

    sender = make_kafka_sender(settings)
    now = int(utc_now().timestamp() * 1000)
    with progress("send", len(records)) as bar:
        for first in range(0, len(records), _SEND_AT_ONCE):
            part = records[first : first + _SEND_AT_ONCE]
            sender.send(
                [
                    Message(
                        topic, record.key, record.value, record.headers, min(record.timestamp, now)
                    )
                    for record in part
                ]
            )
            bar.advance(bar.task_ids[0], len(part))
    sender.close()


def write_fleet(simulation: Simulation, path: Path) -> None:
    """Write the master data of the fleet as CSV."""
    rows = [master_row(car) for car in cars(simulation.vehicles, simulation.seed)]
    with path.open("w", encoding="utf-8", newline="") as out:
        table = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def write_truth(simulation: Simulation, path: Path) -> None:
    """Write one line of JSON for each thing that was really wrong."""
    with path.open("w", encoding="utf-8") as out:
        for car, truth in simulation.truths:
            line = {
                "vin": car.vin,
                "scenario": truth.scenario,
                "component": truth.component,
                "code": truth.code,
                "onset_at": _time(simulation, truth.second),
                "immobilised_at": _time(simulation, truth.immobilised_at),
                "repaired_at": _time(simulation, truth.repaired_at),
                "finding": truth.finding,
                "is_immobilised": truth.is_immobilised,
            }
            out.write(json.dumps(line) + "\n")


def _time(simulation: Simulation, second: float | None) -> str | None:
    return None if second is None else (simulation.start + timedelta(seconds=second)).isoformat()
