"""Whoever dies, wherever: another goes on, and all is as if nobody had died."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pacc.process.database import make_engine
from tests.soak.crash_points import scenes
from tests.soak.crash_points.crash import Stage, sqlite_copies, wrong
from tests.soak.system.fork_server import ForkServer


@pytest.fixture(scope="module")
def fork_server() -> Iterator[ForkServer]:
    """The warm parent of the children that die."""
    parent = ForkServer(["tests.soak.crash_points.scenes"])
    yield parent
    parent.close()


@pytest.fixture(scope="module")
def stage(fork_server: ForkServer, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """A stage on SQLite."""
    folder = tmp_path_factory.mktemp("stage")
    url = f"sqlite:///{folder / 'begin.db'}"
    scenes.prepare(url)
    return Stage(fork_server, folder, url, sqlite_copies(folder))


def played(stage: Stage, scene: str) -> str:
    """Return the database on which a scene begins."""
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


def test_a_full_disk_costs_time_and_nothing_else(stage: Stage) -> None:
    url = played(stage, "run")
    _, calm = stage.points("run", url)
    used = Path(url.removeprefix("sqlite:///")).stat().st_size // 4096
    ends = []
    for more in (0, 1, 2, 4, 8, 40):
        status, after = stage.full_at("run", url, used + more)
        assert after == calm
        ends.append(status)
    assert "disk is full" in (stage.folder / "run.log").read_text("utf-8")
    assert ends[0] == 1
    assert ends[-1] == 0


@pytest.mark.timeout(900)
@pytest.mark.parametrize("scene", scenes.SCENES)
def test_a_death_at_any_point_changes_nothing(stage: Stage, scene: str) -> None:
    deaths, differences = wrong(stage, scene, played(stage, scene), every=False)
    assert deaths > 10
    assert differences == []


def test_an_outbox_written_apart_is_found_by_a_death_after_the_commit(stage: Stage) -> None:
    careless = replace(stage, guard="outbox")
    _, differences = wrong(careless, "run", played(stage, "run"), every=False)
    assert any("outbox is other" in difference for difference in differences)
