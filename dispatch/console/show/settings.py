"""What the console works with beside the office: shift, provider of maps, words for codes."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from dispatch.console.show.geography import map_link
from models.case import Text
from models.words import Action, Priority


@dataclass(frozen=True, slots=True)
class Code:
    """What we know of a fault code; `advice` names what is told beside the action, if anything."""

    system: str
    title: Text
    advice: str | None


def own_advice(codes: Iterable[Code]) -> list[str]:
    """Return the names of what is told beside the action, in the order of the codes."""
    return [code.advice for code in codes if code.advice is not None]


@dataclass(frozen=True, slots=True)
class RuleShown:
    """A rule, whether it fired for a case, and the floor that it sets."""

    rule_id: str
    title: Text
    floor: Priority | None
    has_fired: bool


@dataclass(frozen=True, slots=True)
class Oidc:
    """An OpenID Connect provider that people may log in with."""

    issuer: str
    client_id: str
    client_secret: str
    claim: str = "preferred_username"  # which claim is the name of one of our people


@dataclass(frozen=True, slots=True)
class Console:
    """The console's parts. `codes` (of a code and a VIN), `rules` and `advise` come from the stage
    that ranks."""

    codes: Callable[[str, str | None], Code]
    rules: Callable[[Sequence[str]], Sequence[RuleShown]]
    advise: Callable[[Action, Sequence[str]], Text]
    shift: timedelta = timedelta(hours=12)
    card_lifetime: timedelta = timedelta(hours=4)
    map_url: str | None = None
    map_datum: str = "wgs84"
    oidc: Oidc | None = None

    def map_link(self, lat: Any, lon: Any) -> str | None:
        """Link a place on the provider's map; None without a provider or a place."""
        if self.map_url is None or lat is None or lon is None:
            return None
        return map_link(self.map_url, self.map_datum, lat, lon)
