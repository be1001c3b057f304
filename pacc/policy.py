"""Everything that `decide` decides by: one frozen value, the same for every batch of a run."""

from msgspec import Struct, field

from dispatch.events import Topics
from dispatch.route import Directory
from ingest.cluster import Grouping
from prioritizer.rank import Ranker


class Policy(Struct, frozen=True):
    """How alerts are grouped, ranked and routed."""

    grouping: Grouping
    ranker: Ranker
    directory: Directory
    topics: Topics = field(default_factory=Topics)
