"""Everything that `decide` decides by: one frozen value, the same for every batch of a run."""

from collections.abc import Mapping

from msgspec import Struct, field

from dispatch.rules.events import Topics
from dispatch.rules.fleet_issue import FleetIssue
from dispatch.rules.routing import Directory
from ingest.cluster.vehicle import Grouping
from prioritizer.ranking.rank import Ranker


class Policy(Struct, frozen=True):
    """How alerts are grouped, ranked and routed; the `fleet_issues` that hold tasks back, by id."""

    grouping: Grouping
    ranker: Ranker
    directory: Directory
    topics: Topics = field(default_factory=Topics)
    fleet_issues: Mapping[str, FleetIssue] = field(default_factory=dict)
