"""Active faults, and the standing of a case that has them, for tests of what ranks."""

from hypothesis import strategies as st

from models.case import Fault, Standing, VehicleInfo
from models.make import INVENTED
from models.words import Motion, Severity, Status
from prioritizer.features.catalogue import load_catalogue
from tests.worlds import START


def active_fault(
    code: str, severity: Severity = Severity.LIMITED, motion: Motion = Motion.MOVING
) -> Fault:
    """An active fault of a car that was seen at the start of the world."""
    return Fault(
        code=code,
        source="s",
        severity=severity,
        status=Status.ACTIVE,
        first_seen=START,
        last_seen=START,
        motion=motion,
        stop_in_motion=motion is not Motion.PARKED,
    )


def standing_of(*faults: Fault, **readings: float) -> Standing:
    """What a case is when it has these faults and readings."""
    return Standing(START, faults, VehicleInfo(), readings, make=INVENTED)


FAULTS = st.builds(
    active_fault,
    st.sampled_from([*sorted(load_catalogue().entries), "zz:1", "dtc:B9999", "dtc:P0A80-1C"]),
    st.sampled_from(list(Severity)),
    st.sampled_from(list(Motion)),
)
