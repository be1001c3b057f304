"""Takes the settings apart into plain arguments and puts the parts together."""

import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from fastapi import FastAPI

from dispatch.auth import Office
from dispatch.console.setup import Code, Console, Oidc, RuleShown
from dispatch.desks import load_directory
from dispatch.events import Topics
from dispatch.route import Directory
from dispatch.store import House
from ingest.cluster import Grouping
from ingest.fold import parse_causes
from ingest.kafka import KafkaSender, KafkaSource
from ingest.source import Source
from ingest.tape import TapeSource
from models.batch import Partition
from models.errors import Unusable
from pacc.app import make_app
from pacc.champion import Champions, Costs, register
from pacc.database import make_engine, require_schema
from pacc.intake import Intake
from pacc.metrics import Metrics
from pacc.pipeline import Limits, Worker
from pacc.policy import Policy
from pacc.settings import Settings
from prioritizer.rank import load_ranker
from prioritizer.signing import public_key

# The files of an exported model, in the order of an artifact's parts.
MODEL_FILES: Final = ("model.skops", "manifest.json", "signature.bin")


def make_policy(settings: Settings, engine: sa.Engine) -> Policy:
    """Read everything that `decide` decides by: causes, rules, desks."""
    with engine.begin() as connection:
        directory = load_directory(connection)
    return bare_policy(settings, directory)


def bare_policy(settings: Settings, directory: Directory) -> Policy:
    """Put a policy together for these desks; no model takes part yet."""
    causes = files("ingest").joinpath("causes.yaml").read_text("utf-8")
    return Policy(
        grouping=Grouping(parse_causes(causes), settings.heal_after, settings.repeat_within),
        ranker=replace(load_ranker(), explore_share=settings.explore_share),
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
    policy = make_policy(settings, engine)
    refresh = make_champions(settings).current
    return Worker(engine, policy, formats, owner, limits, refresh), limits


def make_champions(settings: Settings) -> Champions:
    """Say whose models may rank, and what their bands are made of."""
    return Champions(trusted_keys(settings), make_costs(settings))


def make_costs(settings: Settings) -> Costs:
    """Say what the bands are made of."""
    return Costs(
        settings.tow_cost, settings.breakdown_cost, settings.urgent_share, settings.high_share
    )


def shipped_model() -> Path:
    """Give the folder of the model that comes with the package; it may be empty."""
    return Path(str(files("prioritizer"))) / "shipped"


def register_model(settings: Settings, connection: sa.Connection, folder: Path) -> str:
    """Register a version from its files, and name it. Raises `ModelRefused` and `Unusable`."""
    try:
        parts = [(folder / name).read_bytes() for name in MODEL_FILES]
    except OSError as error:
        message = f"{folder} holds no model: {error.strerror}: {error.filename}"
        raise Unusable(message) from None
    return register(connection, (parts[0], parts[1], parts[2]), trusted_keys(settings))


def trusted_keys(settings: Settings) -> list[bytes]:
    """Read the public keys whose models may rank: the settings', and the shipped model's."""
    shipped = shipped_model() / "key.pub"
    own = [shipped.read_text("utf-8")] if shipped.is_file() else []
    return [public_key(key) for key in (*settings.model_trusted_keys, *own)]


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
