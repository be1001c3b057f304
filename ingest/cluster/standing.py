"""How a case stands for the ranking: what is wrong now, with what is known of the vehicle."""

from datetime import datetime
from typing import Final

from ingest.cluster.open_case import OpenCase
from models.case import Closed, Standing, VehicleInfo

_LOTS: Final = 16**8


def standing_of(
    open_case: OpenCase,
    at: datetime,
    info: VehicleInfo,
    model_year: int | None,
    make: str | None,
    past: tuple[Closed, ...],
) -> Standing:
    """Return how a case stands at `at`, the time of its newest report; `past` came before it."""
    known_faults = open_case.faults.values()
    active = [one for one in known_faults if one.is_active]
    shown = tuple([one for one in active if one.folded_under is None])
    return Standing(
        at=at,
        faults=shown,
        info=info,
        readings=open_case.readings(),
        is_repeat_repair=open_case.is_repeat_repair,
        folded=len(active) - len(shown),
        cleared=len([one for one in known_faults if one.is_over]),
        root=open_case.root,
        model_year=model_year,
        history=past,
        lot=int(open_case.case_id[:8], 16) / _LOTS,
        make=make,
        folded_faults=tuple([one for one in active if one.folded_under is not None]),
    )
