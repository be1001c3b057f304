"""Which model ranks just now: loaded from the registry, checked, and taken anew when it changes."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
import structlog
from msgspec.structs import replace

from models.errors import ModelRefused
from models.words import ModelRefusal
from pacc.decide.policy import Policy
from prioritizer.features import predictors
from prioritizer.model import registry
from prioritizer.model.artifact import Artifact, unpack
from prioritizer.model.model import Model
from prioritizer.ranking.bands import Bands, bands

_log = structlog.get_logger(__name__)
NEVER_PROMOTED = "no_champion"


@dataclass(frozen=True, slots=True)
class Costs:
    """What bands are made of: costs in one currency, shares of all cases from 0 to 1."""

    tow: float = 400.0
    breakdown: float = 2400.0
    urgent_share: float = 0.05
    high_share: float = 0.15

    def bands_of(self, model: Model) -> Bands:
        """Choose the bands of a model."""
        return bands(
            model.manifest["quantiles"],
            tow_cost=self.tow,
            breakdown_cost=self.breakdown,
            urgent_share=self.urgent_share,
            high_share=self.high_share,
        )


class Champions:
    """Looks whether another model ranks, between two batches; without one, rules alone do."""

    def __init__(self, trusted: Sequence[bytes], costs: Costs) -> None:
        self._trusted = trusted
        self._costs = costs
        self._seen: dict[str, str] | None = None

    def current(self, connection: sa.Connection, policy: Policy) -> Policy:
        """Return the policy with the models that rank now; one statement while nothing changes."""
        aliases = registry.aliases(connection)
        if aliases == self._seen:
            return policy
        ranker = replace(policy.ranker, model=None, challenger=None, fallback=NEVER_PROMOTED)
        champion = aliases.get(registry.CHAMPION)
        if champion is not None:
            try:
                model = load(connection, champion, self._trusted)
                ranker = replace(
                    ranker, model=model, bands=self._costs.bands_of(model), fallback=None
                )
            except ModelRefused as refused:
                ranker = replace(ranker, fallback=refused.why.value)
                _log.error("ranking by rules alone", model=champion, why=str(refused))
        challenger = aliases.get(registry.CHALLENGER)
        if challenger is not None and challenger != champion:
            try:
                ranker = replace(ranker, challenger=load(connection, challenger, self._trusted))
            except ModelRefused as refused:
                _log.warning("the challenger is left out", model=challenger, why=str(refused))
        self._seen = aliases
        return replace(policy, ranker=ranker)


def load(connection: sa.Connection, version: str, trusted: Sequence[bytes]) -> Model:
    """Return a version from the registry, ready to rank; raise `ModelRefused` if it is doubted."""
    parts = registry.artifact(connection, version)
    if parts is None:
        raise ModelRefused(ModelRefusal.MISSING, f"The model {version} is not in the registry.")
    return checked(parts, trusted)


def checked(parts: tuple[bytes, bytes, bytes], trusted: Sequence[bytes]) -> Model:
    """Return a model of today's features from its parts; raise `ModelRefused` if it is doubted."""
    return unpack(
        Artifact(*parts),
        trusted=trusted,
        feature_version=predictors.VERSION,
        names=predictors.NAMES,
    )
