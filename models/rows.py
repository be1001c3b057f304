"""Between the nouns and their rows: one function each way."""

from collections.abc import Mapping
from typing import Any

import orjson

from models.batch import Partition
from models.case import Build, Case, Fault, Place, Ranking, Silence, Task, Text
from models.decision import Entry, Event
from models.voice import voices_column, voices_from
from models.words import (
    PRIORITY_RANK,
    Action,
    CaseState,
    Disposition,
    Feed,
    Lamp,
    Motion,
    Priority,
    Queue,
    Severity,
    Status,
    TaskState,
)

Row = Mapping[str, Any]


def partition_key(partition: Partition) -> dict[str, Any]:
    """Return the columns that name a partition."""
    return {
        "feed": partition.feed.value,
        "topic": partition.topic,
        "part": partition.number,
    }


def without_nul(value: Any) -> Any:
    """Return a value with NUL spelled out: PostgreSQL's text and JSON hold none."""
    if isinstance(value, str):
        return value.replace("\x00", "\\u0000") if "\x00" in value else value
    if b"\\u0000" not in orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS):
        return value  # as nearly always, and much faster than each part by itself
    if isinstance(value, dict):
        return {without_nul(name): without_nul(part) for name, part in value.items()}
    if isinstance(value, list):
        return [without_nul(part) for part in value]
    return value


def case_row(case: Case, rule_set: str) -> dict[str, Any]:
    """Return the columns of a case."""
    ranking = case.ranking
    return {
        "case_id": case.case_id,
        "vin": case.vin,
        "state": case.state.value,
        **partition_key(case.partition),
        "opened_at": case.opened_at,
        "updated_at": case.updated_at,
        "closed_at": case.closed_at,
        "heal_at": case.heal_at,
        "revision": case.revision,
        "priority": ranking.priority.value,
        "priority_rank": PRIORITY_RANK[ranking.priority],
        "action": ranking.action.value,
        "score": ranking.score,
        "reasons": [{"zh": reason.zh, "en": reason.en} for reason in ranking.reasons],
        "rules": list(ranking.rules),
        "needs_task": ranking.needs_task,
        "cause": ranking.root,
        "root": case.root,
        "ranked_by": ranking.ranked_by,
        "probability": ranking.probability,
        "fallback": ranking.fallback,
        "challenger": ranking.challenger,
        "challenger_probability": ranking.challenger_probability,
        "rule_set": rule_set,
        "previous_case": case.previous_case,
        "is_repeat_repair": case.is_repeat_repair,
        "defaulted": list(case.defaulted),
        **_place_row(case.place),
        "model": case.build.model,
        "software": case.build.software,
        "tasks_made": case.tasks_made,
    }


def _place_row(place: Place | None) -> dict[str, Any]:
    if place is None:
        return dict.fromkeys(("lat", "lon", "place_at", "accuracy_m", "road"))
    return {
        "lat": place.lat,
        "lon": place.lon,
        "place_at": place.at,
        "accuracy_m": place.accuracy_m,
        # no longer than its column, which a NUL that is spelled out would break
        "road": without_nul(place.road)[:128] if place.road else None,
    }


def case(row: Row) -> Case:
    """Return the case of a row."""
    ranking = Ranking(
        priority=Priority(row["priority"]),
        action=Action(row["action"]),
        score=row["score"],
        reasons=tuple(Text(**reason) for reason in row["reasons"]),
        rules=tuple(row["rules"]),
        root=row["cause"],
        needs_task=row["needs_task"],
        ranked_by=row["ranked_by"],
        probability=row["probability"],
        fallback=row["fallback"],
        challenger=row["challenger"],
        challenger_probability=row["challenger_probability"],
    )
    return Case(
        case_id=row["case_id"],
        vin=row["vin"],
        state=CaseState(row["state"]),
        partition=Partition(Feed(row["feed"]), row["topic"], row["part"]),
        opened_at=row["opened_at"],
        updated_at=row["updated_at"],
        ranking=ranking,
        revision=row["revision"],
        root=row["root"],
        heal_at=row["heal_at"],
        closed_at=row["closed_at"],
        previous_case=row["previous_case"],
        is_repeat_repair=row["is_repeat_repair"],
        defaulted=tuple(row["defaulted"]),
        place=place(row),
        build=Build(row["model"], row["software"]),
        tasks_made=row["tasks_made"],
    )


def place(row: Row) -> Place | None:
    """Return where the vehicle of a case was; in rows of an older schema the time is the case's."""
    if row["lat"] is None or row["lon"] is None:
        return None
    at = row["place_at"] or row["opened_at"]
    return Place(row["lat"], row["lon"], at, row["accuracy_m"], row["road"])


def fault_row(case_id: str, vin: str, fault: Fault) -> dict[str, Any]:
    """Return the columns of a fault."""
    return {
        "case_id": case_id,
        "code": fault.code,
        "vin": vin,
        "source": without_nul(fault.source),
        "severity": fault.severity.value,
        "status": fault.status.value,
        "first_seen": fault.first_seen,
        "last_seen": fault.last_seen,
        "count": fault.count,
        "pending_count": fault.pending_count,
        "counted_at": fault.counted_at,
        "counted_km": fault.counted_km,
        "lamp": fault.lamp.value,
        "motion": fault.motion.value,
        "stop_in_motion": fault.stop_in_motion,
        "returns": fault.returns,
        "cleared_at": fault.cleared_at,
        "cleared_by": fault.cleared_by,
        "defaulted": list(fault.defaulted),
        "readings": without_nul(dict(fault.readings)),
        "folded_under": fault.folded_under,
        "fold_zh": fault.fold_reason.zh if fault.fold_reason else None,
        "fold_en": fault.fold_reason.en if fault.fold_reason else None,
        "voices": voices_column(fault.voices) if fault.voices else [],
    }


def fault(row: Row) -> Fault:
    """Return the fault of a row."""
    folded = row["folded_under"] is not None
    return Fault(
        code=row["code"],
        source=row["source"],
        severity=Severity(row["severity"]),
        status=Status(row["status"]),
        first_seen=row["first_seen"],
        last_seen=row["last_seen"],
        count=row["count"],
        pending_count=row["pending_count"],
        counted_at=row.get("counted_at"),
        counted_km=row.get("counted_km"),
        lamp=Lamp(row["lamp"]),
        motion=Motion(row["motion"]),
        stop_in_motion=row["stop_in_motion"],
        returns=row.get("returns", 0),  # what waited in an older schema has none
        cleared_at=row["cleared_at"],
        cleared_by=row["cleared_by"],
        defaulted=tuple(row["defaulted"]),
        readings={name: float(value) for name, value in row["readings"].items()},
        folded_under=row["folded_under"],
        fold_reason=Text(row["fold_zh"], row["fold_en"]) if folded else None,
        voices=voices_from(row.get("voices", ())),
    )


def task_row(vin: str, task: Task) -> dict[str, Any]:
    """Return the columns of a task that the pipeline owns; lease and holder are people's.

    `version` is what a write adds to it: a claim by the version before is refused.
    """
    hold_reason = task.held_because
    return {
        "task_id": task.task_id,
        "case_id": task.case_id,
        "vin": vin,
        "queue": task.queue.value,
        "desk": task.desk,
        "state": task.state.value,
        "priority": task.priority.value,
        "priority_rank": PRIORITY_RANK[task.priority],
        "score": task.score,
        "opened_at": task.opened_at,
        "claim_by": task.claim_by,
        "contact_by": task.contact_by,
        "route_zh": task.route_reason.zh,
        "route_en": task.route_reason.en,
        "held_zh": hold_reason.zh if hold_reason else None,
        "held_en": hold_reason.en if hold_reason else None,
        "issue_id": task.issue_id,
        "disposition": task.disposition.value if task.disposition else None,
        "closed_at": task.closed_at,
        "touched": task.touched,
        "alarms": task.alarms,
        "version": 1,
    }


def task(row: Row) -> Task:
    """Return the task of a row."""
    return Task(
        task_id=row["task_id"],
        case_id=row["case_id"],
        queue=Queue(row["queue"]),
        desk=row["desk"],
        state=TaskState(row["state"]),
        priority=Priority(row["priority"]),
        opened_at=row["opened_at"],
        claim_by=row["claim_by"],
        contact_by=row["contact_by"],
        route_reason=Text(row["route_zh"], row["route_en"]),
        held_because=Text(row["held_zh"], row["held_en"]) if row["held_zh"] else None,
        issue_id=row["issue_id"],
        disposition=Disposition(row["disposition"]) if row["disposition"] else None,
        closed_at=row["closed_at"],
        touched=row["touched"],
        alarms=row["alarms"],
        score=row["score"],
    )


def silence(row: Row) -> Silence:
    """Return the silence of a row."""
    return Silence(row["kind"], row["starts_at"], row["ends_at"], row["reason"], row["desk"])


def entry_row(entry: Entry) -> dict[str, Any]:
    """Return the columns of a line of the timeline."""
    return {
        "entry_id": entry.entry_id,
        "case_id": entry.case_id,
        "task_id": entry.task_id,
        "at": entry.at,
        "actor": entry.actor,
        "kind": entry.kind,
        "detail": entry.detail,
    }


def event_row(event: Event) -> dict[str, Any]:
    """Return the columns of an event that waits to leave."""
    return {
        "event_id": event.event_id,
        "topic": event.topic,
        "kind": event.kind,
        "case_id": event.case_id,
        "case_seq": event.sequence,
        "at": event.at,
        "data": event.data,
    }
