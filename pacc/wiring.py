"""Takes the settings apart into plain arguments and puts the parts together."""

import os
import socket
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from fastapi import FastAPI

from dispatch.auth import Office
from dispatch.console.setup import Code, Console, Oidc, RuleShown
from dispatch.desks import load_directory
from dispatch.events import Topics
from dispatch.store import House
from ingest.cluster import Grouping
from ingest.fold import parse_causes
from ingest.kafka import KafkaSender, KafkaSource
from ingest.source import Source
from ingest.tape import TapeSource
from models.batch import Partition
from pacc.app import make_app
from pacc.database import make_engine, require_schema
from pacc.intake import Intake
from pacc.metrics import Metrics
from pacc.pipeline import Limits, Worker
from pacc.policy import Policy
from pacc.settings import Settings
from prioritizer.rank import load_ranker


def make_policy(settings: Settings, engine: sa.Engine) -> Policy:
    """Read everything that `decide` decides by: causes, rules, desks."""
    causes = files("ingest").joinpath("causes.yaml").read_text("utf-8")
    with engine.begin() as connection:
        directory = load_directory(connection)
    return Policy(
        grouping=Grouping(parse_causes(causes), settings.heal_after, settings.repeat_within),
        ranker=load_ranker(),
        directory=directory,
        topics=make_topics(settings),
    )


def make_topics(settings: Settings) -> Topics:
    """Say where events go."""
    return Topics(settings.roadside_topic, settings.dealer_topic, settings.cases_topic)


def make_house(settings: Settings, engine: sa.Engine) -> House:
    """Read what people and time work by: the desks, the lease, where events go."""
    with engine.begin() as connection:
        directory = load_directory(connection)
    return House(directory, settings.lease, make_topics(settings))


def make_worker(
    settings: Settings, batch: int | None, *, format_: str | None = None
) -> tuple[Worker, Limits]:
    """Put a pipeline together on the settings' database."""
    engine = make_engine(settings.database_url)
    require_schema(engine)
    limits = Limits(batch or settings.batch, settings.reject_limit, settings.reject_window)
    formats = settings.topics if format_ is None else Always(format_)
    owner = f"{socket.gethostname()}:{os.getpid()}"
    return Worker(engine, make_policy(settings, engine), formats, owner, limits), limits


class Always(dict[str, str]):
    """One format for every topic."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def get(self, _topic: str, _default: Any = None) -> Any:
        """Give the one format."""
        return self._name


def make_intake(settings: Settings) -> Intake:
    """Put the way of alerts that come over HTTP together."""
    worker, _ = make_worker(settings, None, format_="cloudevents")
    return Intake(worker)


def make_web(settings: Settings, metrics: Metrics) -> FastAPI:
    """Put the web application together on the settings' database."""
    engine = make_engine(settings.database_url)
    office = Office(engine, make_house(settings, engine), utc_now)
    console = make_console(settings)
    return make_app(office, make_intake(settings), metrics, settings.body_limit, console)


def make_console(settings: Settings) -> Console:
    """Give the console what it shows of codes and rules, and the settings of its own."""
    ranker = load_ranker()

    def code(name: str) -> Code:
        entry = ranker.catalogue.entry(name)
        return Code(entry.system.value, entry.title, entry.advice)

    def rules(fired: Sequence[str]) -> list[RuleShown]:
        return [
            RuleShown(rule.rule_id, rule.title, rule.floor, rule.rule_id in fired)
            for rule in ranker.rules.rules
            if rule.is_on
        ]

    oidc = None
    if settings.oidc_issuer:
        oidc = Oidc(
            settings.oidc_issuer,
            settings.oidc_client_id,
            settings.oidc_client_secret,
            settings.oidc_claim,
        )
    return Console(
        code, rules, settings.shift, settings.card_lifetime, settings.map_url, settings.map_datum,
        oidc,
    )  # fmt: skip


def utc_now() -> datetime:
    """Read the clock: for what people and time do, never for what `decide` does."""
    return datetime.now(UTC)


def make_sender(settings: Settings) -> KafkaSender:
    """Connect to Kafka to send."""
    return KafkaSender(settings.kafka_bootstrap_servers)


def make_kafka_source(
    settings: Settings, take: Callable[[Partition, int | None], int], *, accept_gaps: bool
) -> Source:
    """Join the group on the settings' topics."""
    return KafkaSource(
        settings.kafka_bootstrap_servers,
        settings.group_id,
        sorted(settings.topics),
        take=take,
        accept_gaps=accept_gaps,
    )


def make_tape_source(tapes: Sequence[Path], take: Callable[[Partition, int | None], int]) -> Source:
    """Open tapes, to be played one after the other."""
    return TapeSource(tapes, take=take)
