"""A model as an artifact: it comes back as it was, and is refused if it is doubted."""

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from models.errors import ModelRefused, SettingsInvalid
from models.words import ModelRefusal
from prioritizer.model import artifact as artifacts
from prioritizer.model import container
from prioritizer.model.artifact import Artifact, unpack
from prioritizer.model.model import Model
from prioritizer.model.signing import load_key, new_key, public_key
from prioritizer.training.artifact import pack
from prioritizer.training.table import fingerprint
from prioritizer.training.train import Trained
from tests.prioritizer.training.test_learning import TABLE, learn, trained
from tests.support.tables import small_table

__all__ = ["trained"]
PEM, PUBLIC = new_key()
NOW = version("scikit-learn")
OTHER_PEM, OTHER_PUBLIC = new_key()


@pytest.fixture(scope="module")
def packed(trained: Trained) -> Artifact:
    return packed_by(trained)


def packed_by(trained: Trained, metrics: Any = None, pem: bytes = PEM) -> Artifact:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    return pack(trained, metrics or {}, sign=load_key(pem), made_at=at, revision="abc1234")


def opened(artifact: Artifact, **changes: Any) -> Model:
    asked: dict[str, Any] = {
        "trusted": [public_key(PUBLIC)],
        "feature_version": "1",
        "names": TABLE.names,
    } | changes
    return unpack(artifact, **asked)


def test_a_model_comes_back_as_it_was(trained: Trained, packed: Artifact) -> None:
    model = opened(packed)
    slow = trained.probability(TABLE.values)
    assert (model.probability(TABLE.values) == slow.round(6)).all()
    assert model.version == json.loads(packed.manifest)["version"]
    assert len(model.version) == 12
    assert model.manifest["data_sha256"] == fingerprint(TABLE)


def test_the_isotonic_curve_comes_back_as_it_was(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prioritizer.training.candidates.ISOTONIC_GAIN", 99.0)
    monkeypatch.setattr("prioritizer.training.candidates.LEAST_FOR_ISOTONIC", 2)
    stepped = learn(TABLE)
    assert (trained.choice.calibration, stepped.choice.calibration) == ("sigmoid", "isotonic")
    of_steps = packed_by(stepped)
    probability = opened(of_steps).probability(TABLE.values)
    assert np.allclose(probability, stepped.probability(TABLE.values), atol=1e-6)
    # Neither kind has a type that the list lacks, and the list has none that neither has.
    named = types_in(of_steps) | types_in(packed_by(trained))
    assert named == container.ALLOWED_TYPES - {container.LOSS_BEFORE_1_9}


def types_in(packed: Artifact) -> set[str]:
    with zipfile.ZipFile(io.BytesIO(packed.model)) as archive:
        return container._types(json.loads(archive.read("schema.json")))


@pytest.mark.parametrize("size", [1, 7, 2000])
def test_a_probability_does_not_depend_on_its_batch(packed: Artifact, size: int) -> None:
    model = opened(packed)
    values = small_table(2000, seed=3).values
    whole = model.probability(values)
    rows = range(0, 70 if size == 1 else 2000, size)
    for start in rows:
        part = model.probability(values[start : start + size])
        assert (part == whole[start : start + size]).all()


def test_a_model_answers_whatever_the_readings(packed: Artifact) -> None:
    model = opened(packed)
    strange = np.array([[np.inf, 0, 0, 0], [np.nan, 0, 0, 0], [np.nan] * 4, [1e308, -1e308, 0, 0]])
    probabilities = model.probability(strange)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    assert probabilities[0] == probabilities[1]
    assert len(model.probability(np.zeros((0, 4)))) == 0
    with pytest.raises(ValueError, match="is not"):
        model.probability(np.zeros((2, 3)))


def flip(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def refused(artifact: Artifact, **changes: Any) -> ModelRefusal:
    with pytest.raises(ModelRefused) as error:
        opened(artifact, **changes)
    assert error.value.facts["why"] == error.value.why
    return error.value.why


@pytest.mark.parametrize("part", ["model", "manifest", "signature"])
def test_one_altered_byte_anywhere_refuses_the_model(packed: Artifact, part: str) -> None:
    data = getattr(packed, part)
    for place in (0, len(data) // 3, len(data) - 1):
        altered = replace(packed, **{part: flip(data, place)})
        assert refused(altered) is ModelRefusal.ALTERED


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda artifact: replace(artifact, model=b""), ModelRefusal.MISSING),
        (lambda artifact: replace(artifact, manifest=b""), ModelRefusal.MISSING),
        (lambda artifact: replace(artifact, signature=b""), ModelRefusal.UNSIGNED),
    ],
)
def test_a_part_that_is_not_there_refuses_the_model(
    packed: Artifact, change: Callable[[Artifact], Artifact], why: ModelRefusal
) -> None:
    assert refused(change(packed)) is why


def test_a_model_that_nobody_trusted_has_signed_is_refused(
    trained: Trained, packed: Artifact
) -> None:
    assert refused(packed, trusted=[]) is ModelRefusal.UNSIGNED
    assert refused(packed_by(trained, pem=OTHER_PEM)) is ModelRefusal.UNSIGNED
    both = [public_key(OTHER_PUBLIC), public_key(PUBLIC)]
    assert opened(packed, trusted=both).version


def test_a_model_of_other_features_is_refused(packed: Artifact) -> None:
    assert refused(packed, feature_version="2") is ModelRefusal.FEATURE_VERSION
    assert refused(packed, names=TABLE.names[::-1]) is ModelRefusal.FEATURE_VERSION


@pytest.mark.parametrize("made_by", ["99.0.0", "1.0.2", "0.24.1"])
def test_a_model_of_another_scikit_learn_is_refused(
    trained: Trained, monkeypatch: pytest.MonkeyPatch, made_by: str
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("sklearn.__version__", made_by)
        foreign = packed_by(trained)
    assert refused(foreign) is ModelRefusal.LIBRARY
    with pytest.raises(ModelRefused, match=f"by scikit-learn {made_by}, installed is {NOW}: train"):
        opened(foreign)


def test_without_scikit_learn_a_model_of_the_known_layout_is_read(
    trained: Trained, packed: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert NOW.startswith(artifacts.LAYOUT + "."), "does the container still have this layout?"
    with monkeypatch.context() as patched:
        patched.setattr("sklearn.__version__", "1.10.0")
        foreign = packed_by(trained)

    def none(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(artifacts, "installed_version", none)
    assert opened(packed).version
    assert refused(foreign) is ModelRefusal.LIBRARY


def test_foreign_types_are_refused_though_signed(trained: Trained) -> None:
    strangers = [
        make_pipeline(FunctionTransformer(json.dumps), LogisticRegression()),  # not allowed
        LogisticRegression(),  # harmless, and not ours
        trained.baseline,  # calibrated, and of no trees
    ]
    for stranger in strangers:
        assert refused(packed_by(replace(trained, model=stranger))) is ModelRefusal.BROKEN
    for stranger, words in zip(strangers[1:], ("is a Logistic", "calibrates a Pipe"), strict=True):
        with pytest.raises(ModelRefused, match=rf"cannot be loaded \(NotOurs: it {words}"):
            opened(packed_by(replace(trained, model=stranger)))
    with pytest.raises(ModelRefused, match="types that are not allowed: json"):
        opened(packed_by(replace(trained, model=strangers[0])))


def test_a_signed_manifest_that_lacks_something_is_refused(packed: Artifact) -> None:
    for manifest in (b"{}", b"[]", b"{", b'{"libraries": 3}'):
        signed = Artifact(packed.model, manifest, load_key(PEM).sign(manifest))
        assert refused(signed) is ModelRefusal.BROKEN


def test_keys_that_are_none_are_refused() -> None:
    for text in ("", "AAAA", "not base64!"):
        with pytest.raises(SettingsInvalid):
            public_key(text)
    with pytest.raises(SettingsInvalid):
        load_key(b"-----BEGIN NOTHING-----")
