"""`pacc reconcile`: compares Kafka, ledger, alerts, cases, tasks and outbox."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated

import typer

from ingest.kafka.offsets import ends_of
from models.batch import Extent, Partition
from pacc.process.clock import utc_now
from pacc.process.database import open_engine, reachable
from pacc.process.settings import load_settings
from pacc.process.terminal import AsJson, print_json, print_rows, print_stderr
from pacc.reconcile import reconcile as reconciliation


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("reconcile")(reconcile)


def reconcile(
    full: Annotated[
        bool, typer.Option(help="Count every row, not the newest pages and some old ones in turn.")
    ] = False,
    kafka: Annotated[bool, typer.Option(help="Ask Kafka where its topics begin and end.")] = True,
    unsent_minutes: Annotated[
        int, typer.Option(min=0, help="How long an event may wait to be sent.")
    ] = 5,
    as_json: AsJson = False,
) -> None:
    """Compare Kafka, ledger, alerts, cases, tasks and outbox; exit code 1 if any is missing."""
    settings = load_settings()
    engine = open_engine(settings.database_url)

    def read_ends(topics: Iterable[str]) -> Mapping[Partition, Extent]:
        return ends_of(settings.kafka_bootstrap_servers, topics)

    unsent_after = timedelta(minutes=unsent_minutes) if settings.relay else None
    scope = reconciliation.Scope(tuple(sorted(settings.topics)), unsent_after, full)
    with reachable(engine):
        report = reconciliation.reconcile(engine, read_ends if kafka else None, scope, utc_now())
    if as_json:
        print_json(report)
    else:
        columns = ("topic", "feed", "partition", "begin", "position", "end", "lag")
        print_rows(report["partitions"], columns, as_json=False)
        for finding in report["findings"]:
            typer.echo(f"\n{finding['what']} ({finding['count']}): {finding['sentence']}")
            typer.echo(f"  look at: {finding['look']}")
            if finding["examples"]:
                typer.echo(f"  such as: {', '.join(finding['examples'])}")
        pages = report["pages"]
        print_stderr(
            f"{'all is accounted for' if report['reconciled'] else 'not all is accounted for'}: "
            f"{pages['looked_at']} of {pages['of']} pages counted, Kafka {report['kafka']}, "
            f"{report['seconds']} s"
        )
    if not report["reconciled"]:
        raise typer.Exit(1)
