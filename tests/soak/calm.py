"""The undisturbed run: the same tape through the same pipeline, in one process, on SQLite."""

from pathlib import Path
from typing import Any

from dispatch.data.desks import load_directory
from dispatch.data.master_data import import_desks, read_rows
from ingest.store import ledger
from models.batch import Partition, Record
from models.migrations import upgrade
from models.words import Feed
from pacc.pipeline.limits import Limits
from pacc.pipeline.worker import Worker
from pacc.process.database import make_engine
from pacc.process.settings import Settings
from pacc.wiring.pipeline import make_policy_for_desks
from tests.soak.stream import HEAL, PARTITIONS
from tests.worlds import SAMPLE_DESKS


class CalmRun:
    """Goes along with the tape, and knows how each offset ends."""

    def __init__(self, folder: Path, topic: str) -> None:
        self._engine = make_engine(f"sqlite:///{folder / 'calm.db'}")
        upgrade(self._engine)
        with self._engine.begin() as connection:
            import_desks(connection, read_rows(SAMPLE_DESKS))
            directory = load_directory(connection)
        policy = make_policy_for_desks(Settings(heal_after=HEAL), directory)
        formats = {topic: "cloudevents"}
        self._worker = Worker(self._engine, policy, formats, "calm", Limits())
        for number in range(PARTITIONS):
            self._worker.take(Partition(Feed.TAPE, topic, number), 0)
        self.outcomes: list[dict[int, str]] = [{} for _ in range(PARTITIONS)]

    def plays(self, records: list[Record]) -> None:
        """Play the next round."""
        for ended in self._worker.process(records).ended:
            record = ended.decoded.record
            self.outcomes[record.partition.number][record.offset] = ended.outcome.value

    def digest(self) -> dict[str, Any]:
        """Return the digest of what was decided so far."""
        with self._engine.begin() as connection:
            return ledger.digest(connection)

    def close(self) -> None:
        """Let the database go."""
        self._engine.dispose()
