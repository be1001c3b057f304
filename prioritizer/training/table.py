"""The learning table: one row for each moment at which a case was ranked, with what came of it."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.errors import Unusable

HORIZON_SECONDS: Final = 24 * 3600.0
LEAST_POSITIVES: Final = 30
LEAST_ROWS: Final = 200
LEAK_AUC: Final = 0.999
_COLUMNS: Final = ("is_immobilised", "weight", "vehicle", "at", "floor", "rule_score", "case")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of features with the label "immobilised within 24 hours of `at`"."""

    names: tuple[str, ...]  # features, in the order of the columns
    values: NDArray[np.float64]  # (rows, features), NaN where not known
    is_immobilised: NDArray[np.bool_]  # the label
    weight: NDArray[np.float64]  # 1.0 unless labels are re-weighted for selection
    vehicle: NDArray[np.str_]  # the group
    at: NDArray[np.float64]  # seconds since 1970
    floor: NDArray[np.int8]  # the rules' priority: 0 normal, 1 high, 2 urgent
    rule_score: NDArray[np.float64]  # the rules' order inside a priority
    case: NDArray[np.str_]  # several rows may share one
    slices: Mapping[str, NDArray[np.str_]]  # "model", "age", "season" and the like
    feature_version: str

    def __len__(self) -> int:
        return len(self.at)

    def take(self, mask: NDArray[Any]) -> "Table":
        """Keep the rows of a mask, or of places in the order given."""
        kept = {name: getattr(self, name)[mask] for name in ("values", *_COLUMNS)}
        slices = {name: column[mask] for name, column in self.slices.items()}
        return replace(self, **kept, slices=slices)


@dataclass(frozen=True, slots=True)
class Split:
    """Two tables that share no vehicle; every row of `train` has its label before `test` begins."""

    train: Table
    test: Table
    left_out: int  # rows of a test vehicle before the cut, or of a training vehicle after it
    cut: float  # seconds since 1970


def split_by_vehicle_and_time(table: Table, share: float) -> Split:
    """Set apart `share` (0 to 1) of the vehicles and the last `share` of the rows in time.

    Vehicles are assigned by a hash of their name, never at random, so a vehicle keeps its side
    when the table grows. A training row lies 24 hours before the cut: its label was known then.
    """
    if not 0 < share < 1:
        raise Unusable(f"The share held back must lie between 0 and 1, not {share}.")
    cut = float(np.quantile(table.at, 1 - share))
    is_of_test_vehicle = places_of(table.vehicle) < share
    train = ~is_of_test_vehicle & (table.at < cut - HORIZON_SECONDS)
    test = is_of_test_vehicle & (table.at >= cut)
    left_out = len(table) - int(train.sum()) - int(test.sum())
    return Split(table.take(train), table.take(test), left_out, cut)


def places_of(names: NDArray[np.str_], salt: str = "") -> NDArray[np.float64]:
    """Map names to 0 to 1 by a stable hash: equal names lie at the same place."""
    unique, inverse = np.unique(names, return_inverse=True)
    drawn = [hashlib.blake2b(f"{salt}{name}".encode(), digest_size=6).digest() for name in unique]
    places = np.array([int.from_bytes(one) for one in drawn], dtype=np.float64) / 2.0**48
    return places[inverse] if len(unique) else np.zeros(0)


def fingerprint(table: Table) -> str:
    """Return the SHA-256 of the whole table, in hexadecimal; another order of rows is another."""
    sha = hashlib.sha256("\0".join((table.feature_version, *table.names)).encode())
    for part in _parts(table):
        sha.update(len(part).to_bytes(8))
        sha.update(part)
    return sha.hexdigest()


def _parts(table: Table) -> Iterator[bytes]:
    for name in ("values", "weight", "at", "rule_score"):
        column = getattr(table, name) + 0.0  # one zero
        yield np.where(np.isnan(column), np.nan, column).astype("<f8").tobytes()
    yield table.is_immobilised.astype("<i1").tobytes()
    yield table.floor.astype("<i1").tobytes()
    yield "\0".join(table.vehicle).encode()
    yield "\0".join(table.case).encode()
    for name in sorted(table.slices):
        yield "\0".join((name, *table.slices[name])).encode()


def require_usable(
    table: Table, *, feature_version: str | None = None, known: Collection[str] | None = None
) -> None:
    """Raise `Unusable` naming what is wrong, and how much of it, before anything is learnt.

    `feature_version` and `known` (feature names) are what the program computes today; a table of
    other features must not train it.
    """
    if feature_version is not None and table.feature_version != feature_version:
        raise Unusable(
            f"The table has features of version {table.feature_version}, this program computes "
            f"{feature_version}: export it anew."
        )
    _require_names(table, known)
    _require_shape(table)
    _require_labels(table)
    _require_finite(table)
    _require_no_leak(table)


def _require_names(table: Table, known: Collection[str] | None) -> None:
    twice = sorted(name for name, count in Counter(table.names).items() if count > 1)
    if twice:
        raise Unusable(f"Feature names stand twice: {', '.join(twice)}.")
    strange = [] if known is None else sorted(set(table.names) - set(known))
    if strange:
        raise Unusable(f"Features that this program does not know: {', '.join(strange)}.")


def _require_shape(table: Table) -> None:
    if table.values.shape != (len(table), len(table.names)):
        raise Unusable(
            f"The values have the shape {table.values.shape}, expected were {len(table)} rows of "
            f"{len(table.names)} features."
        )
    columns = {name: getattr(table, name) for name in _COLUMNS} | dict(table.slices)
    for name, column in columns.items():
        if len(column) != len(table):
            raise Unusable(f"{name} has {len(column)} entries for {len(table)} rows.")


def _require_labels(table: Table) -> None:
    rows, positives = len(table), int(table.is_immobilised.sum())
    if rows < LEAST_ROWS:
        raise Unusable(f"Too few labels: {rows} rows, at least {LEAST_ROWS} are needed.")
    if positives in (0, rows):
        raise Unusable(f"All {rows} rows have one label: there is nothing to tell apart.")
    if positives < LEAST_POSITIVES:
        raise Unusable(
            f"Too few labels: {positives} immobilisations, at least {LEAST_POSITIVES} are needed."
        )


def _require_finite(table: Table) -> None:
    for place, name in enumerate(table.names):
        count = int(np.isinf(table.values[:, place]).sum())
        if count:
            raise Unusable(f"Infinity in feature {name} ({count} rows).")
    for name in ("weight", "at", "rule_score"):
        count = int((~np.isfinite(getattr(table, name))).sum())
        if count:
            raise Unusable(f"{name} is not a finite number in {count} rows.")
    if (table.weight < 0).any() or not (table.weight[table.is_immobilised] > 0).any():
        raise Unusable("Weights must not be negative, nor zero for every immobilisation.")


def _require_no_leak(table: Table) -> None:
    for place, name in enumerate(table.names):
        column = table.values[:, place]
        auc = _separation(column, table.is_immobilised)
        if auc >= LEAK_AUC:
            raise Unusable(
                f"Feature {name} alone tells the classes apart (AUC {auc:.4f}): it must come "
                "from after the moment of ranking. Leave it out, or compute it as of then."
            )


def _separation(column: NDArray[np.float64], label: NDArray[np.bool_]) -> float:
    """Return the AUC in the better direction, with "not known" as a value, and of known rows."""
    known = ~np.isnan(column)
    auc = _auc(np.where(known, column, -np.inf), label)
    enough = min(int((known & label).sum()), int((known & ~label).sum())) >= LEAST_POSITIVES
    best = max(auc, 1 - auc)
    if not enough or known.all():
        return best
    auc_of_known = _auc(column[known], label[known])
    return max(best, auc_of_known, 1 - auc_of_known)


def _auc(column: NDArray[np.float64], label: NDArray[np.bool_]) -> float:
    low, high = np.sort(column[~label]), np.sort(column[label])
    below = np.searchsorted(low, high, "left") + np.searchsorted(low, high, "right")
    return float(below.mean()) / (2 * len(low))
