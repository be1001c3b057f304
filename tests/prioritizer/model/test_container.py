"""A container is read as numbers: whatever else it holds refuses it, and nothing of it is run."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pacc.wiring.pipeline import shipped_model_folder
from prioritizer.features.predictors import NAMES
from prioritizer.model import container
from prioritizer.model.container import NODE, ForeignTypes, NotOurs, read_arrays
from prioritizer.model.forest import Forest

SHIPPED = (shipped_model_folder() / "model.skops").read_bytes()
WIDTH = len(NAMES)
Entries = dict[str, bytes]


def entries_of(data: bytes) -> Entries:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(entries: Entries) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return target.getvalue()


def of_learner(schema: Any) -> Any:
    """The attributes of the boosted trees in a schema."""
    (fitted,) = schema["content"]["content"]["calibrated_classifiers_"]["content"]
    frozen = fitted["content"]["content"]["estimator"]
    return frozen["content"]["content"]["estimator"]["content"]["content"]


def first_tree(entries: Entries) -> str:
    """The name of the file with the first tree's nodes."""
    learner = of_learner(json.loads(entries["schema.json"]))
    (predictor,) = learner["_predictors"]["content"][0]["content"]
    name: str = predictor["content"]["content"]["nodes"]["file"]
    return name


def with_schema(change: Callable[[Any], Any]) -> bytes:
    """The shipped container after a change of its schema."""
    entries = entries_of(SHIPPED)
    schema = json.loads(entries["schema.json"])
    change(schema)
    return packed(entries | {"schema.json": json.dumps(schema).encode()})


def with_tree(tree: Any, **spelling: Any) -> bytes:
    """The shipped container with another array as its first tree."""
    entries = entries_of(SHIPPED)
    content = io.BytesIO()
    np.save(content, tree, **spelling)
    return packed(entries | {first_tree(entries): content.getvalue()})


def nodes(count: int = 3, **columns: Any) -> Any:
    """Node records: a root over two leaves, or so many nodes."""
    tree = np.zeros(count, NODE)
    tree["is_leaf"][1:] = 1
    tree["left"], tree["right"] = 1, 2
    for name, values in columns.items():
        tree[name] = values
    return tree


def test_the_shipped_container_is_read_and_cannot_be_written_to() -> None:
    arrays = read_arrays(SHIPPED, WIDTH)
    assert len(arrays.trees) == 100
    assert packed(entries_of(SHIPPED)) != SHIPPED
    assert read_arrays(packed(entries_of(SHIPPED)), WIDTH).start == arrays.start
    assert read_arrays(with_tree(nodes()), WIDTH).trees[0].tolist() == nodes().tolist()
    with pytest.raises(ValueError, match="read-only"):
        arrays.trees[0]["value"] = 1.0


class Harm:
    """Would be called by whoever unpickles it."""

    def __reduce__(self) -> Any:
        return pytest.fail, ("it was unpickled",)


@pytest.mark.parametrize(
    "tree",
    [
        np.array([Harm()], dtype=object),
        np.zeros(3),
        np.zeros(3, NODE.descr[:-1]),
        np.zeros(container.MOST_ITEMS + 1, NODE),
        np.zeros((1, 3), NODE),
        nodes(feature_idx=WIDTH),
        nodes(feature_idx=-1),
    ],
)
def test_an_array_of_another_type_or_size_is_refused(tree: Any) -> None:
    with pytest.raises(NotOurs):
        read_arrays(with_tree(tree, allow_pickle=True), WIDTH)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"(15,)", b"(9999999999,)"),
        (b"(15,)", b"(-1,)"),
        (b"(15,)", b"(14,)"),
        (b"False", b"True"),
        (b"\x01\x00", b"\x03\x00"),
        (b"NUMPY", b"NUMPI"),
    ],
)
def test_a_header_that_lies_is_refused_before_anything_is_allocated(
    before: bytes, after: bytes
) -> None:
    entries = entries_of(SHIPPED)
    content = entries[first_tree(entries)]
    assert before in content
    end = content.index(b"\n")
    header = content[:end].replace(before, after, 1)[:end].ljust(end)
    changed = header + content[end:]
    with pytest.raises(ValueError, match=r"array|magic"):
        read_arrays(packed(entries | {first_tree(entries): changed}), WIDTH)


def test_a_container_that_would_fill_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "MOST_BYTES", 1_000_000)
    with pytest.raises(NotOurs, match="unpacks to"):
        read_arrays(SHIPPED, WIDTH)


def test_an_entry_is_unpacked_to_the_size_that_it_states_only() -> None:
    data = bytearray(packed({"schema.json": b"[" * 1_000_000}))
    place = data.index(b"PK\x01\x02") + 24  # the directory's "uncompressed size"
    data[place : place + 4] = (10).to_bytes(4, "little")
    with pytest.raises(zipfile.BadZipFile):
        read_arrays(bytes(data), WIDTH)


@pytest.mark.parametrize("protocol", [None, "2", True, -1, 3, 2.0])
def test_a_container_of_a_newer_skops_is_refused(protocol: object) -> None:
    with pytest.raises(NotOurs, match="skops protocol"):
        read_arrays(with_schema(lambda schema: schema.update(protocol=protocol)), WIDTH)


def foreign(module: str, name: str, loader: str) -> Callable[[Any], Any]:
    """Hang a node of a type where nothing reads it."""
    node = {"__module__": module, "__class__": name, "__loader__": loader}
    return lambda schema: of_learner(schema).update(_scorer=node)


@pytest.mark.parametrize(
    ("module", "name", "loader"),
    [
        ("os", "system", "FunctionNode"),
        ("builtins", "eval", "TypeNode"),
        ("sklearn.tree._tree", "Tree", "TreeNode"),
        ("numpy", "float16", "NdArrayNode"),
    ],
)
def test_a_type_that_has_no_place_is_refused_wherever_it_hangs(
    module: str, name: str, loader: str
) -> None:
    with pytest.raises(ForeignTypes, match=f"types that are not allowed: {module}.{name}$"):
        read_arrays(with_schema(foreign(module, name, loader)), WIDTH)


@pytest.mark.parametrize(
    "change",
    [
        lambda schema: of_learner(schema).update(n_features_in_=of_learner(schema)["loss"]),
        lambda schema: of_learner(schema).update(n_features_in_=of_learner(schema)["classes_"]),
        lambda schema: of_learner(schema).update(classes_=of_learner(schema)["n_features_in_"]),
        lambda schema: of_learner(schema).update(_predictors=of_learner(schema)["_loss"]),
        lambda schema: of_learner(schema)["_predictors"].update(content=[]),
        lambda schema: schema.update(__class__="FrozenEstimator", __module__="sklearn.frozen"),
        lambda schema: schema.update(__loader__="ListNode"),
    ],
)
def test_another_estimator_is_refused(change: Callable[[Any], Any]) -> None:
    with pytest.raises(NotOurs):
        read_arrays(with_schema(change), WIDTH)


def test_a_model_of_another_width_is_refused() -> None:
    with pytest.raises(NotOurs, match="not those of the manifest"):
        read_arrays(SHIPPED, WIDTH + 1)


@pytest.mark.parametrize(
    "data", [b"", b"PK", SHIPPED[:-1], packed({}), packed({"schema.json": b"{"})]
)
def test_a_broken_container_raises(data: bytes) -> None:
    with pytest.raises((ValueError, KeyError, zipfile.BadZipFile)):
        read_arrays(data, WIDTH)


def test_a_tree_that_goes_in_circles_or_grows_without_end_is_refused() -> None:
    circle = nodes(is_leaf=0, left=0, right=0)
    with pytest.raises(RecursionError):
        Forest([circle], 0.0)
    shared = nodes(31, is_leaf=[0] * 30 + [1], left=[*range(1, 31), 0], right=[*range(1, 31), 0])
    with pytest.raises(ValueError, match="more than 16 leaves"):
        Forest([shared], 0.0)
