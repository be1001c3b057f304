"""What people's work is done by: one frozen value, as `Policy` is for the pipeline."""

from dataclasses import dataclass
from datetime import timedelta

from dispatch.rules.events import Topics
from dispatch.rules.fleet_issue import Surge
from dispatch.rules.routing import Directory


@dataclass(frozen=True, slots=True)
class DispatchPolicy:
    """What people's work goes by: how long a claim lives, who the desks are, where events go."""

    directory: Directory
    lease: timedelta = timedelta(seconds=90)
    topics: Topics = Topics()  # noqa: RUF009 - frozen, so one for all is as good as one for each
    surge: Surge = Surge()  # noqa: RUF009 - the same
