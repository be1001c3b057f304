"""When a task is held back, and the sentence that says why. Pure."""

from datetime import datetime
from typing import Final

from models.case import Silence, Text
from models.words import Priority

_SILENCED: Final = {
    "workshop": Text("车辆在维修车间，任务暂缓", "Held back: the vehicle is in the workshop"),
    "silence": Text("已设静默，任务暂缓", "Held back: the vehicle is silenced"),
}


def is_in_force(silence: Silence, at: datetime) -> bool:
    """Return whether a silence that nobody lifted holds back at `at`."""
    return silence.starts_at <= at and (silence.ends_at is None or at < silence.ends_at)


def held_because(silences: tuple[Silence, ...], priority: Priority, at: datetime) -> Text | None:
    """Return why a task is held back, or None; an urgent one never is (law 5)."""
    if priority is Priority.URGENT:
        return None
    for silence in silences:
        if is_in_force(silence, at):
            line = _SILENCED["workshop" if silence.kind == "workshop" else "silence"]
            return Text(f"{line.zh}：{silence.reason}", f"{line.en}: {silence.reason}")
    return None
