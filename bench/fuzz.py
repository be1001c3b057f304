"""Mutates good records of every format and decides each: no exception, one end each, memory flat.

    make fuzz                              # a million records
    make fuzz SECONDS=60                   # as many as a minute holds
    python -m bench.fuzz --count 50000 --seed 7
    python -m bench.fuzz --seed 7 --only 1234   # shows one again

Record `number` depends on the seed and its number alone, so that a failure can be shown again.
"""

import argparse
import sys
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from time import monotonic

from bench.parts.mutations import mutated
from ingest.formats.decode import decode
from ingest.tape import line_of
from models.batch import Batch, Decoded, Record
from models.decision import Known
from models.words import Outcome, Reject
from pacc.decide.decide import decide
from tests.ingest.formats.poison.forms import FORMS
from tests.worlds import policy

_AT_ONCE = 200
_SHOWN = 5
_SOURCES: tuple[Record, ...] = tuple(form.record(form.wrap(form.text)) for form in FORMS)
_policy = cache(policy)
_FORMATS = {form.record(b"").partition.topic: form.format for form in FORMS}


@dataclass(frozen=True)
class Failure:
    """A record that broke a promise, and how."""

    number: int
    record: Record
    what: str


@dataclass
class Report:
    """What a run found. `grown_bytes`: the memory at the end against that after a tenth."""

    records: int = 0
    seconds: float = 0.0
    ended: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    resident_bytes: int = 0
    grown_bytes: int = 0


def make(seed: int, number: int) -> Record:
    """Return the record of this number: a good one with one to four mutations."""
    chance = Random(seed << 32 | number)
    return mutated(chance.choice(_SOURCES), chance, _SOURCES)


def fuzz(count: int, seed: int, seconds: float | None = None) -> Report:
    """Decode and decide `count` records, or as many as the time allows."""
    report = Report()
    began = monotonic()
    early: int | None = None
    while report.records < count:
        spent = monotonic() - began
        if seconds is not None and spent >= seconds:
            break
        numbers = range(report.records, min(count, report.records + _AT_ONCE))
        _check(numbers, [make(seed, number) for number in numbers], report)
        share = (
            report.records / count
            if seconds is None
            else max(report.records / count, spent / seconds)
        )
        if early is None and share >= 0.1:
            early = resident()
    report.seconds = monotonic() - began
    report.resident_bytes = resident()
    report.grown_bytes = max(0, report.resident_bytes - (early or report.resident_bytes))
    return report


def resident() -> int:
    """Read how much memory this process holds, in bytes; 0 where the system does not say."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text("ascii").split()[1]) * 4096 if statm.exists() else 0


def _check(numbers: Sequence[int], records: Sequence[Record], report: Report) -> None:
    report.records += len(records)
    try:
        decoded, ended = _end(records)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the fuzz looks for
        if len(records) == 1:
            trace = traceback.format_exception(error)
            report.failures.append(Failure(numbers[0], records[0], "".join(trace)))
            return
        report.records -= len(records)
        for number, record in zip(numbers, records, strict=True):
            _check([number], [record], report)
        return
    report.ended.update(outcome.value for outcome in ended)
    for number, answer in zip(numbers, decoded, strict=True):
        report.reasons.update(bad.reason.value for bad in answer.rejected)
        wrong = _broken_promise(answer)
        if wrong:
            report.failures.append(Failure(number, answer.record, wrong))


def _end(records: Sequence[Record]) -> tuple[tuple[Decoded, ...], list[Outcome]]:
    decoded = decode(records, _FORMATS)
    decision = decide(Batch(decoded, {}), Known({}, {}, {}), _policy())
    ended = [one.outcome for one in decision.ended]
    if len(ended) != len(records):
        message = f"{len(records)} records, {len(ended)} ends"
        raise AssertionError(message)
    return decoded, ended


def _broken_promise(decoded: Decoded) -> str | None:
    for bad in decoded.rejected:
        if bad.reason not in tuple(Reject) or not bad.detail or len(bad.detail) > 500:
            return f"a refusal without a reason: {bad}"
    if decoded.record.value is None and not decoded.rejected:
        return "a null value was not refused"
    return None


def print_report(report: Report, seed: int) -> None:
    """Print what a run found; of failures the first ones, with how to show them again."""
    rate = report.records / max(report.seconds, 1e-9)
    print(f"{report.records:,} records in {report.seconds:.1f} s ({rate:,.0f}/s), seed {seed}")
    print(
        f"memory {report.resident_bytes / 2**20:.0f} MiB, "
        f"{report.grown_bytes / 2**20:+.1f} MiB since the first tenth"
    )
    for title, counts in (("ended", report.ended), ("refused", report.reasons)):
        for word, number in counts.most_common():
            print(f"  {title:8}{word:16}{number:>10,}")
    for failure in report.failures[:_SHOWN]:
        print(f"FAILED: python -m bench.fuzz --seed {seed} --only {failure.number}")
        show(failure.record)
        print(failure.what)
    if report.failures:
        print(f"{len(report.failures)} of {report.records} failed")


def show(record: Record) -> None:
    """Print a record as a line of a tape and its value in hexadecimal."""
    print(line_of(record)[:4000])
    print((record.value or b"").hex()[:20_000])


def main(words: Sequence[str]) -> int:
    """Run as the command line says; 1 if a promise was broken or memory grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--only", type=int, metavar="NUMBER")
    asked = parser.parse_args(words)
    if asked.only is not None:
        record = make(asked.seed, asked.only)
        show(record)
        print(*decode([record], _FORMATS)[0].rejected, sep="\n")
        print(*_end([record])[1])
        return 0
    report = fuzz(asked.count, asked.seed, asked.seconds)
    print_report(report, asked.seed)
    return 1 if report.failures or report.grown_bytes > 64 * 2**20 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
