"""What tests share: a database of each kind, a real broker, and the way to skip honestly."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from shutil import copyfile

import pytest
import sqlalchemy as sa
from hypothesis import settings
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from dispatch.access import people
from models.migrations import upgrade
from pacc.process.database import make_engine
from tests.servers.kafka import new_topic, running_kafka
from tests.servers.postgres import new_database, running_postgres
from tests.servers.processes import NotToBeHad

# A machine that is busy is no failure.
settings.register_profile("ours", deadline=None)
settings.load_profile("ours")


# Minutes each: begun last, one of them would keep a single process busy while the other is idle.
LONG = ("test_model_story", "test_end_to_end", "test_crash_points", "test_watchdog", "test_outages")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by the server that they ask for, and put the long files first."""
    for item in items:
        names = getattr(item, "fixturenames", ())
        if "kafka_address" in names:
            item.add_marker("kafka")
    places = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.path.stem, len(LONG)))


def missing(what: str) -> None:
    """Skip, saying how to get what is missing; with CI=true that is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


def _server(start: Callable[[], AbstractContextManager[str]]) -> Iterator[str]:
    context = start()
    try:
        address = context.__enter__()
    except NotToBeHad as error:
        missing(str(error))
        return
    try:
        yield address
    finally:
        context.__exit__(None, None, None)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a running PostgreSQL."""
    yield from _server(running_postgres)


@pytest.fixture(scope="session")
def kafka_address() -> Iterator[str]:
    """The bootstrap address of a running Apache Kafka."""
    yield from _server(running_kafka)


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of a database of this test's own."""
    with new_database(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file at the newest schema, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "pacc.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: str) -> Iterator[str]:
    """The URL of a database at the newest schema, to be copied."""
    with new_database(postgres_server) as url:
        _migrate(url)
        yield url


def _migrate(url: str) -> None:
    engine = make_engine(url)
    upgrade(engine)
    engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """An engine on an empty, migrated database of each kind in turn."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            path = tmp_path / "pacc.db"
            copyfile(request.getfixturevalue("migrated_sqlite"), path)
            url = f"sqlite:///{path}"
        else:
            server: str = request.getfixturevalue("postgres_server")
            template: str = request.getfixturevalue("migrated_postgres")
            url = stack.enter_context(new_database(server, template))
        migrated = make_engine(url)
        stack.callback(migrated.dispose)
        yield migrated


@pytest.fixture(autouse=True, scope="session")
def cheap_passwords() -> Iterator[None]:
    """Hash passwords with the least work that argon2id takes: here nobody guesses them."""
    kept = people._hasher
    cheap = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
    people._hasher = cheap  # type: ignore[misc]
    yield
    people._hasher = kept  # type: ignore[misc]


@pytest.fixture
def make_topic(kafka_address: str) -> Callable[[int], str]:
    """Make a topic of this test's own with so many partitions."""

    def make(partitions: int = 1) -> str:
        return new_topic(kafka_address, partitions)

    return make


@pytest.fixture(scope="session")
def shared_data_if_any() -> Path | None:
    """The folder of payloads that nobody here wrote, where it is."""
    default = Path(__file__).parents[2] / "shared" / "data"
    place = Path(os.environ.get("PACC_SHARED_DATA", default))
    return place if place.is_dir() else None


@pytest.fixture(scope="session")
def shared_data(shared_data_if_any: Path | None) -> Path:
    """The same, for tests that are nothing without it; it is no part of a checkout."""
    if shared_data_if_any is None:
        pytest.skip("no real payloads beside the checkout: set PACC_SHARED_DATA to their folder")
    return shared_data_if_any
