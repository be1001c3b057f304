"""The lists that the product is held against."""

import csv
from collections.abc import Mapping
from pathlib import Path

import pytest


@pytest.fixture(scope="package")
def reference(shared_data: Path) -> Mapping[str, str]:
    """The reference list's generic codes with what they say."""
    with (shared_data / "dtc" / "dtc_codes.csv").open(encoding="utf-8", newline="") as lines:
        return {
            row["code"]: row["description"]
            for row in csv.DictReader(lines)
            if row["manufacturer"] == "GENERIC"
        }
