"""Reads what a model has learned out of a skops container: numbers only, nothing is constructed.

The container is a zip: `schema.json` describes the scikit-learn object as nested nodes, each array
lies beside it as .npy. Types are compared by name, none is imported.
"""

import json
import math
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from prioritizer.model.calibration import Isotonic, Sigmoid

LOSS_BEFORE_1_9: Final = "_loss.CyHalfBinomialLoss"  # as scikit-learn 1.8 calls it
MOST_BYTES: Final = 50_000_000  # unpacked; the shipped model has about one million
MOST_TREES: Final = 1000
MOST_ITEMS: Final = 100_000  # of one array
NEWEST_PROTOCOL: Final = 2  # of skops
_NPY_VERSION: Final = (1, 0)
_BOOSTING: Final = "sklearn.ensemble._hist_gradient_boosting"
_CALIBRATED: Final = "sklearn.calibration.CalibratedClassifierCV"
_FITTED: Final = "sklearn.calibration._CalibratedClassifier"
_FROZEN: Final = "sklearn.frozen._frozen.FrozenEstimator"
_ISOTONIC: Final = "sklearn.isotonic.IsotonicRegression"
_LEARNER: Final = f"{_BOOSTING}.gradient_boosting.HistGradientBoostingClassifier"
_SIGMOID: Final = "sklearn.calibration._SigmoidCalibration"
_TREE: Final = f"{_BOOSTING}.predictor.TreePredictor"
# What a calibrated tree model of ours is made of; a container with anything else is refused.
ALLOWED_TYPES: Final = frozenset(
    {
        *(_CALIBRATED, _FITTED, _FROZEN, _ISOTONIC, _LEARNER, _SIGMOID, _TREE),
        f"{_BOOSTING}.binning._BinMapper",
        LOSS_BEFORE_1_9,
        "sklearn._loss._loss.CyHalfBinomialLoss",
        "sklearn._loss.link.Interval",
        "sklearn._loss.link.LogitLink",
        "sklearn._loss.loss.HalfBinomialLoss",
        "sklearn.preprocessing._label.LabelEncoder",
        *(f"builtins.{name}" for name in ("dict", "list", "str", "tuple")),
        *(f"numpy.{name}" for name in ("float64", "ndarray", "uint64")),
        "numpy.random._generator.Generator",
    }
)
NODE: Final = np.dtype(
    [
        ("value", "<f8"),
        ("count", "<u4"),
        ("feature_idx", "<i8"),
        ("num_threshold", "<f8"),
        ("missing_go_to_left", "u1"),
        ("left", "<u4"),
        ("right", "<u4"),
        ("gain", "<f8"),
        ("depth", "<u4"),
        ("is_leaf", "u1"),
        ("bin_threshold", "u1"),
        ("is_categorical", "u1"),
        ("bitset_idx", "<u4"),
    ]
)
_FLOAT: Final = np.dtype("<f8")
_BOOL: Final = np.dtype("?")
_Schema = Mapping[str, Any]  # a node of schema.json


class NotOurs(ValueError):
    """The object is no calibrated tree model of this program."""


class ForeignTypes(ValueError):
    """The container names types that no model of this program has."""


@dataclass(frozen=True, slots=True)
class LearnedArrays:
    """All that ranking needs of a model: the node records of each tree, the first score, the curve.

    The arrays cannot be written to.
    """

    trees: tuple[NDArray[Any], ...]
    start: float
    curve: Sigmoid | Isotonic


def read_arrays(container: bytes, width: int) -> LearnedArrays:
    """Return what a model of `width` features has learned.

    Raises `ForeignTypes` for types beyond `ALLOWED_TYPES`, `NotOurs` for another model, and
    whatever a broken zip, JSON or .npy makes the libraries raise.
    """
    with zipfile.ZipFile(BytesIO(container)) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
        if size > MOST_BYTES:
            raise NotOurs(f"it unpacks to {size} bytes, more than {MOST_BYTES}")
        schema = json.loads(_unpacked(archive, "schema.json"))
        _require_protocol(schema.get("protocol"))
        foreign = sorted(_types(schema) - ALLOWED_TYPES)
        # Which estimator it is says more than a list of its parts.
        if all(name.startswith(("sklearn.", "numpy.")) for name in foreign):
            arrays = _taken_apart(archive, schema, width)
        if foreign:
            raise ForeignTypes(f"it holds types that are not allowed: {', '.join(foreign)}")
    return arrays


def _require_protocol(protocol: object) -> None:
    if type(protocol) is not int or not 0 <= protocol <= NEWEST_PROTOCOL:
        raise NotOurs(f"skops protocol {protocol!r} is not 0 to {NEWEST_PROTOCOL}")


def _types(schema: _Schema) -> set[str]:
    """Name every type, function and method that a schema mentions."""
    names = set()
    waiting: list[Any] = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if "__class__" in node or "__module__" in node or "__loader__" in node:
                names.add(_type(node))
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
    return names


def _type(node: _Schema) -> str:
    return f"{node['__module__']}.{node['__class__']}"


def _taken_apart(archive: zipfile.ZipFile, schema: _Schema, width: int) -> LearnedArrays:
    if _type(schema) != _CALIBRATED:
        raise NotOurs(f"it is a {schema['__class__']}")
    (fitted,) = _items(_attributes(schema)["calibrated_classifiers_"])
    calibrated = _attributes(fitted, _FITTED)
    learner = calibrated["estimator"]
    if _type(learner) == _FROZEN:
        learner = _attributes(learner)["estimator"]
    if _type(learner) != _LEARNER:
        raise NotOurs(f"it calibrates a {learner['__class__']}")
    learned = _attributes(learner)
    classes = _array(archive, learned["classes_"], _BOOL)
    if _integer(learned["n_features_in_"]) != width or classes.tolist() != [False, True]:
        raise NotOurs("its features or classes are not those of the manifest")
    (calibrator,) = _items(calibrated["calibrators"])
    return LearnedArrays(
        _trees(archive, learned["_predictors"], width),
        _number(archive, learned["_baseline_prediction"]),
        _curve(archive, calibrator),
    )


def _trees(archive: zipfile.ZipFile, node: _Schema, width: int) -> tuple[NDArray[Any], ...]:
    rounds = _items(node)
    if not 0 < len(rounds) <= MOST_TREES:
        raise NotOurs(f"it has {len(rounds)} trees, not 1 to {MOST_TREES}")
    trees = []
    for of_round in rounds:
        (predictor,) = _items(of_round)
        tree = _array(archive, _attributes(predictor, _TREE)["nodes"], NODE)
        features = tree["feature_idx"][tree["is_leaf"] == 0]
        if tree.ndim != 1 or ((features < 0) | (features >= width)).any():
            raise NotOurs("a tree splits by a feature that is not in the manifest")
        trees.append(tree)
    return tuple(trees)


def _curve(archive: zipfile.ZipFile, calibrator: _Schema) -> Sigmoid | Isotonic:
    if _type(calibrator) != _ISOTONIC:
        fitted = _attributes(calibrator, _SIGMOID)
        return Sigmoid(_number(archive, fitted["a_"]), _number(archive, fitted["b_"]))
    fitted = _attributes(calibrator)
    scores = _array(archive, fitted["X_thresholds_"], _FLOAT)
    probabilities = _array(archive, fitted["y_thresholds_"], _FLOAT)
    if scores.ndim != 1 or scores.shape != probabilities.shape or not len(scores):
        raise NotOurs("its isotonic curve is none")
    return Isotonic(scores, probabilities)


def _attributes(node: _Schema, type_: str | None = None) -> _Schema:
    """Return the attributes of an object; raise `NotOurs` unless it has the type."""
    if node["__loader__"] != "ObjectNode" or (type_ is not None and _type(node) != type_):
        raise NotOurs(f"it has a {node['__class__']} where that has no place")
    attributes: _Schema = node["content"]["content"]
    return attributes


def _items(node: _Schema) -> Sequence[_Schema]:
    if node["__loader__"] != "ListNode":
        raise NotOurs(f"it has a {node['__class__']} where a list belongs")
    items: Sequence[_Schema] = node["content"]
    return items


def _integer(node: _Schema) -> int:
    value = json.loads(node["content"]) if node["__loader__"] == "JsonNode" else None
    if type(value) is not int:
        raise NotOurs(f"it has a {node['__class__']} where an integer belongs")
    return value


def _number(archive: zipfile.ZipFile, node: _Schema) -> float:
    return float(_array(archive, node, _FLOAT).item())


def _array(archive: zipfile.ZipFile, node: _Schema, type_: np.dtype[Any]) -> NDArray[Any]:
    """Return an array as it lies in the container; raise `NotOurs` for another type or size."""
    if node["__loader__"] != "NdArrayNode" or node["type"] != "numpy":
        raise NotOurs(f"it has a {node['__class__']} where an array belongs")
    content = BytesIO(_unpacked(archive, node["file"]))
    if npy.read_magic(content) != _NPY_VERSION:
        raise NotOurs("it has an array of another version of .npy")
    shape, is_by_column, dtype = npy.read_array_header_1_0(content)
    body = content.read()
    items = math.prod(shape)
    if dtype != type_ or is_by_column or not 0 <= items <= MOST_ITEMS:
        raise NotOurs(f"it has an array of {shape} {dtype} where one of {type_} belongs")
    if len(body) != items * dtype.itemsize:
        raise NotOurs(f"it has an array of {len(body)} bytes where {shape} {dtype} belong")
    return np.frombuffer(body, dtype).reshape(shape)


def _unpacked(archive: zipfile.ZipFile, name: str) -> bytes:
    """Unpack an entry to the size that it states, and no further whatever it holds."""
    entry = archive.getinfo(name)
    with archive.open(entry) as stream:
        return stream.read(entry.file_size)
