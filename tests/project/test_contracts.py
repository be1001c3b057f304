"""The import contracts cover files that do not exist yet: each breaks for a file born tomorrow."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from deploy.house_map import PACKAGES, ROOT

PURE = "pure rooms do no I/O, read no clock, start no thread"
BELOW = "API and console read and write through rooms below them"
LEARNED = "only training and learning import scikit-learn"
RANKS = "whoever ranks reaches no scikit-learn, through others neither"
# contract, file that is born, its forbidden import
BORN = [
    (
        "pacc knows all, the three stages know only the nouns",
        "ingest/formats/born.py",
        "import dispatch.rules.events",
    ),
    (
        "pacc knows all, the three stages know only the nouns",
        "models/born.py",
        "import ingest.source",
    ),
    ("rooms of pacc", "pacc/process/born.py", "import pacc.feeds.scout"),
    ("rooms of ingest", "ingest/cluster/born_sql.py", "import ingest.store.position"),
    ("rooms of prioritizer", "prioritizer/model/born.py", "import prioritizer.ranking.rank"),
    ("rooms of dispatch", "dispatch/rules/born_up.py", "import dispatch.read.pagination"),
    ("rooms of the console", "dispatch/console/show/born.py", "import dispatch.console.site"),
    ("only ingest.kafka imports Kafka's client", "pacc/pipeline/born.py", "import kafka"),
    ("only ingest.kafka imports Kafka's client", "ingest/store/born.py", "import kafka.errors"),
    ("SQL is spoken in rooms that are named here", "models/born_sql.py", "import sqlalchemy"),
    ("SQL is spoken in rooms that are named here", "ingest/tape_born.py", "import sqlalchemy"),
    *[
        ("SQL is spoken in rooms that are named here", f"{room}/born_sql.py", "import sqlalchemy")
        for room in ("dispatch/api", "dispatch/console/pages", "dispatch/console/show")
    ],
    *[
        (BELOW, f"{room}/born_below_{number}.py", statement)
        for room in ("dispatch/api", "dispatch/console/login", "dispatch/console/pages")
        for number, statement in enumerate(("import sqlalchemy", "from models import tables"))
    ],
    ("only the rooms of the web import FastAPI", "dispatch/tasks/born.py", "import fastapi"),
    *[
        (PURE, f"{room}/born_{module}.py", f"import {module}")
        for room, module in (
            ("ingest/formats", "kafka"),
            ("ingest/cluster", "time"),
            ("ingest/readings", "os"),
            ("prioritizer/features", "os"),
            ("prioritizer/ranking", "threading"),
            ("dispatch/rules", "sqlalchemy"),
            ("pacc/decide", "time"),
            ("pacc/simulation", "asyncio"),
        )
    ],
    ("nothing that decides draws lots", "pacc/decide/born_random.py", "import random"),
    ("the nouns touch nothing but tables", "models/born_time.py", "import time"),
    (LEARNED, "prioritizer/model/born_sklearn.py", "import sklearn"),
    (LEARNED, "pacc/pipeline/born_skops.py", "import skops"),
    (LEARNED, "models/born_sklearn.py", "from sklearn.base import BaseEstimator"),
    *[
        (RANKS, f"{room}/born_{module}.py", f"import {module}")
        for room, module in (
            ("prioritizer/model", "scipy"),
            ("prioritizer/ranking", "sklearn"),
            ("pacc/wiring", "joblib"),
        )
    ],
    *[
        (RANKS, f"{room}/born_chain.py", "import pacc.learn.train_and_promote")
        for room in ("pacc/pipeline", "pacc/wiring", "pacc/commands")
    ],
    ("rooms of dispatch", "dispatch/attic/__init__.py", ""),  # a room without a place in the layers
    ("rooms of pacc", "pacc/attic/__init__.py", ""),
]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the linter says of a house in which all of these files were born."""
    house = tmp_path_factory.mktemp("house")
    shutil.copy(ROOT / "pyproject.toml", house)
    for package in PACKAGES:
        for source in (ROOT / package).rglob("*.py"):
            target = house / source.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    for _, path, statement in BORN:
        (house / path).parent.mkdir(exist_ok=True)
        (house / path).write_text(f"{statement}\n", "utf-8")
    program = "import sys; from importlinter.cli import lint_imports_command as m; m()"
    ran = subprocess.run(
        [sys.executable, "-c", program, "--no-cache"],
        cwd=house,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr
    return ran.stdout.split("Broken contracts", 1)[1]


@pytest.mark.parametrize(("contract", "path", "_statement"), BORN, ids=lambda text: str(text)[:40])
def test_a_contract_breaks_for_a_file_that_is_born_tomorrow(
    report: str, contract: str, path: str, _statement: str
) -> None:
    _, _, section = report.partition(f"\n{contract}\n---")
    section = section.split("\n---", 1)[0] if "\n---" in section else section
    module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    assert module.rsplit(".", 1)[-1] in section, f"{contract} is silent about {module}"


def test_every_contract_is_tried() -> None:
    settings = tomllib.loads(Path(ROOT / "pyproject.toml").read_text("utf-8"))
    names = {contract["name"] for contract in settings["tool"]["importlinter"]["contracts"]}
    assert names == {contract for contract, _, _ in BORN}
