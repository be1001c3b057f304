"""Trains the model that comes with the package, from the simulator alone: `make model`.

Its signing key is made for it and thrown away; the public half is shipped beside the model.
"""

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from dispatch.rules.routing import Directory
from pacc.learn import train_and_promote
from pacc.learn.champion import Costs
from pacc.learn.simulated_fleet import simulated
from pacc.process.settings import Settings
from pacc.process.terminal import print_stderr
from pacc.simulation.stream import Simulation
from pacc.wiring import pipeline
from prioritizer.model.signing import load_key, new_key

VEHICLES, DAYS, SEED = 5000, 28, 2026


def main() -> None:
    """Simulate, train, judge, and write the shipped files."""
    policy = pipeline.make_policy_for_desks(Settings(), Directory(()))
    simulation = Simulation("pacc.alerts", VEHICLES, DAYS * 24, SEED)
    lesson = simulated(simulation, policy)
    private, public = new_key()
    taught = train_and_promote.teach(
        lesson,
        Costs(),
        seed=SEED,
        sign=load_key(private),
        made_at=datetime.now(UTC),
        revision=_revision(),
        report_progress=lambda what, done, total: print_stderr(f"{what} {done}/{total}"),
    )
    folder = pipeline.shipped_model_folder()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    artifact = taught.artifact
    parts = (artifact.model, artifact.manifest, artifact.signature)
    for name, content in zip(pipeline.MODEL_FILES, parts, strict=True):
        (folder / name).write_bytes(content)
    (folder / "key.pub").write_text(public + "\n", "utf-8")
    size = sum(Path(one).stat().st_size for one in folder.iterdir())
    print_stderr(
        f"{taught.version}: {size / 1000:,.0f} kB, {taught.evaluation['figures']['model']}"
    )


def _revision() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


if __name__ == "__main__":
    main()
