"""Everything that `decide` decides by: one frozen value, the same for every batch of a run."""

from dataclasses import dataclass, field

from dispatch.events import Topics
from dispatch.route import Directory
from ingest.cluster import Grouping
from prioritizer.rank import Ranker


@dataclass(frozen=True, slots=True)
class Policy:
    """How alerts are grouped, ranked and routed."""

    grouping: Grouping
    ranker: Ranker
    directory: Directory
    topics: Topics = field(default_factory=Topics)
