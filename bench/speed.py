"""All benchmarks of speed, one after the other: a table on stdout and a JSON document.

make bench                             # at most a quarter of an hour
python -m bench.speed --records 100000 --json speed.json
"""

from pathlib import Path
from typing import Annotated

import typer

from bench import growth, latency, replay, throughput, workers
from bench.parts.figure import table, write
from bench.parts.stage import running


def main(
    records: Annotated[int, typer.Option(help="Records of each mix.")] = 40_000,
    seconds: Annotated[float, typer.Option(help="Seconds at each load.")] = 15,
    known: Annotated[int, typer.Option(help="The most vehicles known.")] = 1_000_000,
    file: Annotated[Path, typer.Option("--json", help="Where the figures go.")] = Path(
        ".cache/speed.json"
    ),
) -> None:
    """Measure throughput, workers, latency, growth and replay on servers of our own."""
    sizes = tuple(size for size in (10_000, 100_000, 1_000_000, 5_000_000) if size <= known)
    with running() as stage:
        figures = [
            *throughput.measure(stage, records),
            *workers.measure(stage, records),
            *latency.measure(stage, seconds),
            *growth.measure(stage, sizes),
            *replay.measure(stage, records),
        ]
    print(table(figures))
    file.parent.mkdir(parents=True, exist_ok=True)
    write(figures, file)


if __name__ == "__main__":
    typer.run(main)
