"""`python -m tests.soak`: soak for so many minutes from a seed, and say what was found."""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import quantiles

from ingest.kafka.producer import KafkaSender
from models.batch import Message
from pacc.process.settings import Settings
from tests.servers.kafka import new_topic, own_kafka
from tests.servers.postgres import new_database, own_postgres
from tests.soak.crash_points import crash, scenes
from tests.soak.disturbances.plan import ENDING, Step, plan_round, read_plan, shorten, write_plan
from tests.soak.driver import Report, Soak
from tests.soak.system import guards
from tests.soak.system.fork_server import ForkServer
from tests.soak.system.supervisor import Servers

_CONNECTIONS = 60


@contextmanager
def servers() -> Iterator[Servers]:
    """Start a broker, a database and a fork server of this soak's own."""
    fork_server = ForkServer()
    try:
        with own_kafka() as kafka, own_postgres(_CONNECTIONS) as postgres:
            yield Servers(kafka, postgres, fork_server)
    finally:
        fork_server.close()


def soak(
    started: Servers,
    seed: int,
    minutes: float,
    *,
    steps: int,
    kills: int = 0,
    guard: str | None = None,
    plan: Sequence[Step] | None = None,
) -> Report:
    """Go from round to round until the time or the kills are up, or something is wrong."""
    until = time.monotonic() + minutes * 60
    with tempfile.TemporaryDirectory(prefix="pacc-soak-") as name:
        running = Soak(started, Path(name), seed, guard)
        try:
            for number in range(10_000):
                if plan is None:
                    only = guards.FOUND_BY[guard][1] if guard else ()
                    todo = plan_round(seed, number, steps, only)
                else:
                    todo = [step for step in plan if step.round == number]
                if running.round(todo):
                    break
                if plan is not None and all(step.round <= number for step in plan):
                    break
                if time.monotonic() > until or 0 < kills <= killed(running.report):
                    break
                _say(f"round {number}: {total(running.report)} disturbances, nothing wrong")
        finally:
            report = running.close()
    return report


def total(report: Report) -> int:
    """Count the disturbances that were done; one that found nobody alive was none."""
    done = sum(n for kind, n in report.done.items() if kind != "intruders refused")
    return done - report.missed


def killed(report: Report) -> int:
    """Count those that ended or froze a process or a server, at least: `missed` may be others."""
    return sum(n for kind, n in report.done.items() if kind.startswith(ENDING)) - report.missed


def show(report: Report) -> None:
    """Print what was done and found."""
    _say(f"{report.rounds} rounds, {report.records} records, {report.seconds:.0f} s")
    _say(
        f"{total(report)} disturbances, {killed(report)} of them kills or stops: "
        + _counted(report.done)
    )
    _say(f"lives that ended, and how: {_counted(report.ends)}")
    _say(
        f"lost {report.lost}, twice {report.twice}; people were told of {report.promises} things; "
        f"{report.events} events on the topics, {report.sent_again} of them again"
    )


def show_recovery(report: Report) -> None:
    """Print how long recovery took. Only under a steady stream does that say anything."""
    if len(report.recoveries) > 1:
        cuts = quantiles(report.recoveries, n=20, method="inclusive")
        _say(
            f"from a SIGKILL to the next commit in each of the victim's partitions "
            f"({len(report.recoveries)}): p50 {cuts[9]:.1f} s, p95 {cuts[18]:.1f} s"
        )


def explain(started: Servers, seed: int, report: Report, tries: int) -> None:
    """Print the flaws, and the shortest plan found that shows one again."""
    for flaw in report.flaws[:20]:
        _say(f"WRONG ({flaw.check}): {flaw.what}")
    _say(f"seed {seed}; looking for a shorter plan")

    def fails(plan: Sequence[Step]) -> bool:
        return bool(soak(started, seed, 10, steps=0, plan=plan).flaws)

    file = Path(f"soak-{seed}.jsonl")
    plan = shorten(report.plan, fails, tries)
    write_plan(plan, file)
    _say(
        f"seed {seed}, {len(plan)} of {len(report.plan)} steps in {file}; again with "
        f"`python -m tests.soak --seed {seed} --plan {file}`:"
    )
    for step in plan[:40]:
        _say(f"  round {step.round}, second {step.second}: {step.kind} ({step.chance})")


def recovery(started: Servers, seed: int, kills: int) -> Report:
    """Kill one worker after the other, with the settings that we recommend, under a steady stream.

    The broker's own least session has to be no longer than ours.
    """
    session = Settings().session_timeout.total_seconds()
    pause = 1.6 * session
    with tempfile.TemporaryDirectory(prefix="pacc-soak-") as name:
        running = Soak(
            started,
            Path(name),
            seed,
            round_seconds=2.5 * pause,
            session_seconds=session,
            cli_share=0.0,
        )
        try:
            running.round([])
            for number in range(1, kills // 2 + 1):
                steps = [
                    Step(number, at, "kill worker", seed + number) for at in (1.0, 1.0 + pause)
                ]
                if running.round(steps):
                    break
        finally:
            report = running.close()
    return report


def crash_points(started: Servers, scene_names: Sequence[str]) -> int:
    """Die at every crash point of these scenes, on PostgreSQL and (`run`) Kafka; 1 if one shows."""
    differences: list[str] = []
    topic = new_topic(started.kafka.address, 1)
    with closing(KafkaSender(started.kafka.address)) as sender:
        sender.send(
            [
                Message(topic, record.key, record.value, record.headers, record.timestamp)
                for record in scenes.stream(topic)
            ]
        )
    fork_server = ForkServer(["tests.soak.crash_points.scenes"])
    for scene in scene_names:
        with (
            tempfile.TemporaryDirectory(prefix="pacc-points-") as name,
            new_database(started.postgres.address) as url,
        ):
            scenes.prepare(url)
            if scene != "run":
                scenes.play(url, topic)
            address = started.kafka.address if scene == "run" else None
            copies = crash.postgres_copies(started.postgres.address)
            stage = crash.Stage(fork_server, Path(name), url, copies, address, topic)
            began = time.monotonic()
            deaths, wrong = crash.wrong(stage, scene, url, every=True)
            _say(
                f"{scene}: {deaths} crash points in {time.monotonic() - began:.0f} s, "
                f"{len(wrong)} that show"
            )
            differences += wrong
    fork_server.close()
    for difference in differences[:20]:
        _say(f"WRONG: {difference}")
    return 1 if differences else 0


def controls(started: Servers, seed: int, minutes: float, steps: int) -> int:
    """Take each guard away in turn; return 1 if the soak does not find one of them missing."""
    missed = 0
    _say(f"{'guard':<15} {'found by':<24} disturbances  seconds")
    for guard, (checks, _) in guards.FOUND_BY.items():
        report = soak(started, seed, minutes, steps=steps, guard=guard)
        firsts = {flaw.check: flaw.what for flaw in reversed(report.flaws)}
        noticed = sorted(firsts)
        missed += not set(checks) & set(noticed)
        said = ", ".join(noticed) or "NOTHING: a defect of the soak"
        _say(f"{guard:<15} {said:<24} {total(report):>12} {report.seconds:>8.0f}")
        for name in noticed:
            _say(f"    {name}: {firsts[name]}")
    return 1 if missed else 0


def main(words: Sequence[str] | None = None) -> int:
    """Read the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--steps", type=int, default=12, help="disturbances a round")
    parser.add_argument("--kills", type=int, default=0, help="end after so many kills or stops")
    parser.add_argument("--control", help="a guard to take away: the soak must find it")
    parser.add_argument("--controls", action="store_true", help="take away each guard in turn")
    parser.add_argument("--recovery", type=int, default=0, help="measure it on so many kills")
    parser.add_argument("--points", action="store_true", help="die at every crash point once")
    parser.add_argument("--plan", type=Path, help="a plan that was kept, instead of a new one")
    parser.add_argument("--tries", type=int, default=12, help="to shorten a plan that fails")
    options = parser.parse_args(words)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with servers() as started:
        if options.controls:
            return controls(started, options.seed, options.minutes, options.steps)
        if options.points:
            return crash_points(started, list(scenes.SCENES))
        if options.recovery:
            report = recovery(started, options.seed, options.recovery)
            show(report)
            show_recovery(report)
            return 1 if report.flaws else 0
        plan = read_plan(options.plan) if options.plan else None
        report = soak(
            started,
            options.seed,
            options.minutes,
            steps=options.steps,
            kills=options.kills,
            guard=options.control,
            plan=plan,
        )
        show(report)
        if report.flaws and options.control is None:
            explain(started, options.seed, report, options.tries)
    for flaw in report.flaws[:5]:
        _say(f"found by ({flaw.check}): {flaw.what}")
    return 1 if report.flaws else 0


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(counts.items()))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
