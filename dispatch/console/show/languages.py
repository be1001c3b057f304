"""The console's languages: catalogues of our own sentences, and the choice of a bilingual text."""

from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Any, Final

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

LANGUAGES: Final = {"zh": "中文", "en": "English"}


def N_(sentence: str) -> str:  # noqa: N802 - gettext's name for "translate this later"
    """Mark a sentence that is translated where it is shown."""
    return sentence


@cache
def catalogue(language: str) -> Translations:
    """Read a language's sentences."""
    path = files("dispatch.console").joinpath(f"locale/{language}/LC_MESSAGES/console.po")
    with path.open("rb") as source:
        messages = read_po(source, locale=language)
    compiled = BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return Translations(compiled)


def chosen(text: Any, language: str) -> str:
    """Return the side of a bilingual text, of a `Text` or of a mapping, in a language."""
    if text is None:
        return ""
    side = text[language] if isinstance(text, dict) else getattr(text, language)
    return str(side)


PRIORITIES: Final = {"urgent": N_("Urgent"), "high": N_("High"), "normal": N_("Normal")}
QUEUES: Final = {"roadside": N_("roadside"), "dealer": N_("dealer")}
# Why a case was ranked by rules alone.
FALLBACKS: Final = {
    "missing": N_("Rules alone: the model is missing"),
    "altered": N_("Rules alone: the model was altered"),
    "unsigned": N_("Rules alone: the model's signature is not trusted"),
    "feature_version": N_("Rules alone: the model was made for other numbers"),
    "library": N_("Rules alone: the model was made by another version of its library"),
    "broken": N_("Rules alone: the model cannot be read"),
}
FLEET_ISSUES: Final = {
    "watched": N_("Watched"),
    "holding": N_("Held back"),
    "released": N_("Let go"),
    "over": N_("Over"),
}
STATES: Final = {
    "queued": N_("Waiting"),
    "claimed": N_("Claimed"),
    "contacted": N_("Customer reached"),
    "en_route": N_("Help on the way"),
    "on_site": N_("Help on site"),
    "towing": N_("Towing"),
    "booked": N_("Booked"),
    "arrived": N_("In the workshop"),
    "repaired": N_("Repaired"),
    "done": N_("Done"),
}
ACTIONS: Final = {
    "stop_now": N_("Stop now"),
    "drive_to_dealer": N_("Drive to a dealer"),
    "visit_soon": N_("Visit soon"),
    "carry_on": N_("Carry on"),
}
STEPS: Final = {
    "claim": N_("Claim"),
    "contact": N_("Customer reached"),
    "set_out": N_("Help sets out"),
    "arrive": N_("Help has arrived"),
    "tow": N_("Start towing"),
    "book": N_("Book"),
    "check_in": N_("Vehicle is here"),
    "repair": N_("Repair done"),
    "pause": N_("Snooze"),
    "resume": N_("Go on"),
    "release": N_("Release"),
    "complete": N_("Finish"),
}
DISPOSITIONS: Final = {
    "healed": N_("Healed by itself"),
    "superseded": N_("Superseded"),
    "returned": N_("Returned to the centre"),
    "case_closed": N_("Case closed"),
    "fixed_by_phone": N_("Solved by phone"),
    "fixed_on_site": N_("Fixed on site"),
    "towed": N_("Towed"),
    "drove_to_dealer": N_("Driving to a dealer"),
    "repaired": N_("Repaired"),
    "no_fault_found": N_("No fault found"),
    "false_alarm": N_("False alarm"),
    "unreachable": N_("Not reached"),
    "declined": N_("Customer declined"),
    "already_helped": N_("Helped already"),
}
STATUSES: Final = {
    "active": N_("active"),
    "pending": N_("pending"),
    "cleared": N_("cleared"),
    "lamp_only": N_("lamp only"),
    "verifying": N_("in the memory, passes its test"),
}
SEVERITIES: Final = {
    "info": N_("info"),
    "service": N_("service"),
    "limited": N_("limited"),
    "stop": N_("stop"),
    "unknown": N_("unknown severity"),
}
ROLES: Final = {
    "operator": N_("Operator"),
    "supervisor": N_("Supervisor"),
    "dealer": N_("Service advisor"),
    "engineer": N_("Engineer"),
    "administrator": N_("Administrator"),
}
CHANNELS: Final = {"call": N_("Call"), "message": N_("Message"), "letter": N_("Letter")}
ENTRIES: Final = {
    "opened": N_("The case was opened"),
    "joined": N_("Another fault joined"),
    "cleared": N_("A fault was cleared"),
    "raised": N_("The priority rose"),
    "lowered": N_("The priority fell"),
    "healed": N_("The case healed by itself"),
    "reopened": N_("A fault is back: the case is open again"),
    "case_closed": N_("The case was closed"),
    "task_opened": N_("A task was opened"),
    "task_reopened": N_("The task goes on"),
    "task_raised": N_("The task became more pressing"),
    "task_lowered": N_("The task became less pressing"),
    "task_changed": N_("The task changed"),
    "task_closed": N_("The task ended"),
    "task_claimed": N_("Claimed"),
    "task_released": N_("Given back"),
    "task_lease_expired": N_("The claim ran out"),
    "task_taken_over": N_("Taken over"),
    "task_reassigned": N_("Given to a colleague"),
    "task_transferred": N_("Handed to another desk"),
    "task_contacted": N_("Customer reached"),
    "task_en_route": N_("Help set out"),
    "task_on_site": N_("Help arrived"),
    "task_towing": N_("Towing began"),
    "task_booked": N_("Appointment booked"),
    "task_arrived": N_("The vehicle came to the workshop"),
    "task_repaired": N_("The repair was done"),
    "task_paused": N_("Snoozed"),
    "task_resumed": N_("Resumed"),
    "task_woken": N_("The snooze ended"),
    "task_attempted": N_("Tried in vain to reach the customer"),
    "task_asked": N_("Asked the owner for consent to call"),
    "task_agreed": N_("The owner agreed to be called"),
    "task_no_call": N_("The owner asked not to be called"),
    "task_claim_missed": N_("Not claimed in time"),
    "task_contact_missed": N_("Customer not reached in time"),
    "task_contact_postponed": N_("Due while the desk is shut: after it opens"),
    "task_held": N_("Held back"),
    "task_unheld": N_("No longer held back"),
}
# What is read in a car, in the order in which it is shown: its name, unit, digits, and factor.
READINGS: Final = {
    "state_of_charge": (N_("State of charge"), "%", 0, 100),
    "low_voltage_v": (N_("12 V battery"), "V", 1, 1),
    "speed_kph": (N_("Speed"), "km/h", 0, 1),
    "range_km": (N_("Range"), "km", 0, 1),
    "ambient_c": (N_("Outside"), "°C", 0, 1),
    "odometer_km": (N_("Odometer"), "km", 0, 1),
    "tyre_kpa": (N_("Softest tyre"), "kPa", 0, 1),
    "coolant_c": (N_("Coolant"), "°C", 0, 1),
    "hv_temp_c": (N_("High-voltage battery"), "°C", 0, 1),
    "cell_spread_mv": (N_("Between its cells"), "mV", 0, 1),
}
