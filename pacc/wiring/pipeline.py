"""Builds policies, worker and intake from the settings, taken apart into plain arguments."""

import os
import socket
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from msgspec.structs import replace

from dispatch.data.desks import load_directory
from dispatch.rules.events import Topics
from dispatch.rules.fleet_issue import Surge
from dispatch.rules.policy import DispatchPolicy
from dispatch.rules.routing import Directory
from ingest.cluster.fold import parse_causes
from ingest.cluster.vehicle import Grouping
from ingest.source import Source, Take
from ingest.tape import TapeSource
from models.errors import Unusable
from pacc.decide.policy import Policy
from pacc.feeds.http import Intake
from pacc.learn.champion import Champions, Costs
from pacc.pipeline.limits import Limits
from pacc.pipeline.worker import Keep, Worker, keep_all
from pacc.process.database import FROZEN_SECONDS, LOCKED_SECONDS, open_engine
from pacc.process.settings import Settings
from pacc.tend.fleet import with_fleet_issues
from prioritizer.features.flap_windows import load_flap_windows
from prioritizer.model.signing import public_key
from prioritizer.ranking.rank import load_ranker

# The files of an exported model, in the order of an artifact's parts.
MODEL_FILES: Final = ("model.skops", "manifest.json", "signature.bin")


def make_policy(settings: Settings, engine: sa.Engine) -> Policy:
    """Read everything that `decide` decides by: causes, rules, desks of the database."""
    with engine.begin() as connection:
        directory = load_directory(connection)
    return make_policy_for_desks(settings, directory)


def make_policy_for_desks(settings: Settings, directory: Directory) -> Policy:
    """Build a policy for these desks; no model ranks by it yet."""
    causes = files("ingest.cluster").joinpath("causes.yaml").read_text("utf-8")
    return Policy(
        grouping=Grouping(
            parse_causes(causes),
            settings.heal_after,
            settings.repeat_within,
            load_flap_windows(),
            settings.source_aliases,
        ),
        ranker=replace(load_ranker(), explore_share=settings.explore_share),
        directory=directory,
        topics=make_event_topics(settings),
    )


def make_event_topics(settings: Settings) -> Topics:
    """Return the topics that events go to."""
    return Topics(settings.roadside_topic, settings.dealer_topic, settings.cases_topic)


def make_dispatch_policy(settings: Settings, engine: sa.Engine) -> DispatchPolicy:
    """Read what tasks are changed by: desks of the database, lease, topics, thresholds."""
    with engine.begin() as connection:
        directory = load_directory(connection)
    return DispatchPolicy(
        directory, settings.lease, make_event_topics(settings), make_surge(settings)
    )


def make_surge(settings: Settings) -> Surge:
    """Return the thresholds of a fleet issue, and what becomes of its tasks."""
    return Surge(
        settings.surge,
        settings.fleet_issue_at,
        settings.fleet_issue_within,
        settings.fleet_issue_times,
        settings.fleet_issue_over,
        settings.surge_release,
    )


def make_worker(
    settings: Settings,
    batch: int | None,
    *,
    format_: str | None = None,
    keep: Keep = keep_all,
    lock_seconds: int | None = None,
) -> tuple[Worker, Limits]:
    """Build a worker, with its limits, on the settings' database."""
    engine = open_engine(
        settings.database_url, idle_seconds=FROZEN_SECONDS, lock_seconds=lock_seconds
    )
    limits = Limits(batch or settings.batch, settings.reject_limit, settings.reject_window)
    formats = settings.topics if format_ is None else SameFormat(format_)
    policy = make_policy(settings, engine)
    refresh = with_fleet_issues(settings.surge, make_champions(settings).current)
    return Worker(engine, policy, formats, process_name(), limits, refresh, keep), limits


def process_name() -> str:
    """Return the name of this process as an owner of partitions: host and process id."""
    return f"{socket.gethostname()}:{os.getpid()}"


def make_champions(settings: Settings) -> Champions:
    """Build what loads the champion: trusted keys, and the costs of its bands."""
    return Champions(trusted_keys(settings), make_costs(settings))


def make_costs(settings: Settings) -> Costs:
    """Return the costs and shares that bands are made of."""
    return Costs(
        settings.tow_cost, settings.breakdown_cost, settings.urgent_share, settings.high_share
    )


def shipped_model_folder() -> Path:
    """Return the folder of the model that comes with the package; it may be empty."""
    return Path(str(files("prioritizer"))) / "shipped"


def register_model(settings: Settings, connection: sa.Connection, folder: Path) -> str:
    """Register a version from its files; return its name.

    Raises `Unusable` when a file is missing, `ModelRefused` when no trusted key has signed it.
    """
    from pacc.learn.registration import register  # noqa: PLC0415 - reports draw pictures, slow to import

    try:
        parts = [(folder / name).read_bytes() for name in MODEL_FILES]
    except OSError as error:
        message = f"{folder} holds no model: {error.strerror}: {error.filename}"
        raise Unusable(message) from None
    return register(connection, (parts[0], parts[1], parts[2]), trusted_keys(settings))


def trusted_keys(settings: Settings) -> list[bytes]:
    """Read the public keys whose models may rank: the settings', and the shipped model's."""
    shipped = shipped_model_folder() / "key.pub"
    own = [shipped.read_text("utf-8")] if shipped.is_file() else []
    return [public_key(key) for key in (*settings.model_trusted_keys, *own)]


class SameFormat(dict[str, str]):
    """One format for every topic."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def get(self, _topic: str, _default: Any = None) -> Any:
        """Return the one format."""
        return self._name


def make_intake(settings: Settings) -> Intake:
    """Build the intake of alerts over HTTP."""
    worker, _ = make_worker(settings, None, format_="cloudevents", lock_seconds=LOCKED_SECONDS)
    return Intake(worker)


def make_tape_source(tapes: Sequence[Path], take: Take) -> Source:
    """Open tapes, to be read one after the other."""
    return TapeSource(tapes, take=take)
