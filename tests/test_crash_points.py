"""Whoever dies, wherever: another goes on, and all is as if nobody had died."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pacc.database import make_engine
from tests.soak import scenes
from tests.soak.crash import Stage, sqlite_copies, wrong
from tests.soak.nursery import Nursery


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    """The warm parent of the children that die."""
    made = Nursery(["tests.soak.scenes"])
    yield made
    made.close()


@pytest.fixture(scope="module")
def stage(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """A stage on SQLite."""
    folder = tmp_path_factory.mktemp("stage")
    url = f"sqlite:///{folder / 'begin.db'}"
    scenes.prepare(url)
    return Stage(nursery, folder, url, sqlite_copies(folder))


def played(stage: Stage, scene: str) -> str:
    """Give the database on which a scene begins."""
    if scene == "run":
        return settled(stage.url)
    with stage.copies(settled(stage.url)) as copy:
        scenes.play(copy, stage.topic)
        path = stage.folder / f"{scene}-begin.db"
        Path(settled(copy).removeprefix("sqlite:///")).rename(path)
        return f"sqlite:///{path}"


def settled(url: str) -> str:
    """Bring everything from SQLite's log into its file, so that the file alone can be copied."""
    engine = make_engine(url)
    with engine.connect() as connection:
        connection.rollback()
        raw = connection.connection.dbapi_connection
        assert raw is not None
        raw.execute("pragma wal_checkpoint(truncate)")
    engine.dispose()
    return url


@pytest.mark.parametrize("scene", scenes.SCENES)
def test_a_death_at_any_point_changes_nothing(stage: Stage, scene: str) -> None:
    deaths, found = wrong(stage, scene, played(stage, scene), every=False)
    assert deaths > 10
    assert found == []
