"""Everything that `decide` decides by: one frozen value, the same for every batch of a run."""

from dataclasses import dataclass

from dispatch.route import Directory
from ingest.cluster import Grouping
from prioritizer.rank import Ranker


@dataclass(frozen=True, slots=True)
class Policy:
    """How alerts are grouped, ranked and routed."""

    grouping: Grouping
    ranker: Ranker
    directory: Directory
    roadside_topic: str = "pacc.tasks.roadside"
    dealer_topic: str = "pacc.tasks.dealer"
    cases_topic: str = "pacc.cases"
