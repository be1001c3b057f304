"""A document of another format on its way to canonical alerts: what all its alerts share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from ingest.formats.parts import (
    Bad,
    alert_from,
    believed_time,
    received_at,
    report_of,
    stamp_of,
    time_of,
)
from ingest.names.vehicles import vehicle_of
from ingest.names.words import word_of
from ingest.readings.members import ON_THE_ALERT, members
from ingest.readings.numbers import spelled_number
from ingest.readings.record_time import marks_of
from models.batch import ONE_LIST, Decoded, Item, Record, Rejected, Snapshot
from models.ids import digest
from models.names.fault_code import canonical_code, is_no_fault
from models.words import Lamp, Reject, Severity, Status


@dataclass(slots=True)
class Foreign:
    """Collects the alerts of one document.

    `stamp` is the document's own time as it wrote it, or '' if it has none: polling an unchanged
    document twice gives the same fingerprints. `answered_at` is that time; an answer without one
    may be old, and clears nothing.
    """

    record: Record
    vin: str
    source: str
    observed_at: datetime
    stamp: str
    answered_at: datetime | None
    shared: Mapping[str, Any] = field(default_factory=dict)
    defaulted: tuple[str, ...] = ()
    unknown_words: tuple[str, ...] = ()
    items: list[Item] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    codes: set[tuple[str | None, str]] = field(default_factory=set)

    def add(
        self,
        code: str,
        severity: Severity,
        *,
        status: Status = Status.ACTIVE,
        lamp: Lamp = Lamp.UNKNOWN,
        text: str | None = None,
        pointer: str = "",
        defaulted: tuple[str, ...] = (),
        unknown_words: tuple[str, ...] = (),
        unit: str | None = None,
        lists: tuple[tuple[str, Status], ...] = (),
    ) -> None:
        """Add one alert; a part that makes no legal alert is rejected by itself.

        A code that stands for no fault adds nothing. `unknown_words` names what of the part holds
        a word that nobody knows; `unit` is the control unit that says it, `lists` what each list
        that was asked says of it.
        """
        code = canonical_code(code)
        if is_no_fault(code):
            return
        if status is not Status.CLEARED:
            self.codes.add((unit, code))
        scope = ["unit", unit] if unit is not None else []
        scope += [part for listed, word in lists for part in (listed, word.value)]
        fingerprint = digest(
            self.source, self.vin, code, self.stamp, severity.value, status.value, *scope
        )
        document = {
            **self.shared,
            "id": fingerprint,
            "source": self.source,
            "vin": self.vin,
            "observed_at": self.observed_at,
            "code": code,
            "severity": severity,
            "status": status,
            "lamp": lamp,
            "text": text or None,
            **({} if unit is None else {"unit": unit}),
        }
        unknown = (*self.unknown_words, *unknown_words)
        noted = {*self.defaulted, *defaulted, *unknown}
        if severity is Severity.UNKNOWN:
            noted.add("severity")
        try:
            alert, more, _ = alert_from(document, pointer, noted)
            report = report_of(self.record, alert, more, fingerprint)
        except Bad as bad:
            self.rejected.append(bad.rejected)
            return
        more_of = {"unknown_words": unknown, "lists": lists} if unknown or lists else {}
        self.items.append(replace(report, **more_of) if more_of else report)

    def reject(self, bad: Bad) -> None:
        """Add a part that cannot be used."""
        self.rejected.append(bad.rejected)

    def snapshot(
        self,
        scheme: str,
        *,
        since: int = 0,
        unit: str | None = None,
        lists: frozenset[str] = ONE_LIST,
    ) -> None:
        """Add what the document asked for: all codes of a scheme of a unit, in these lists.

        `since` is how many parts were rejected before these were read: where a part of them could
        not be read, its codes are unknown, and nothing is cleared. Nor is it by a document that
        does not say when it was written.
        """
        if len(self.rejected) > since or self.answered_at is None:
            return
        codes = frozenset(
            code for of, code in self.codes if of == unit and code.startswith(f"{scheme}:")
        )
        scope = ["unit", unit] if unit is not None else []
        scope += ["lists", *sorted(lists)] if lists != ONE_LIST else []
        received = received_at(self.record, self.observed_at)
        self.items.append(
            Snapshot(
                digest(
                    "snapshot", self.source, self.vin, scheme, self.stamp, *sorted(codes), *scope
                ),
                self.vin,
                self.source,
                scheme,
                believed_time(self.answered_at, received),
                received,
                codes,
                marks_of(self.record),
                unit,
                lists,
            )
        )

    def decoded(self) -> Decoded:
        """Return the document's alerts and rejected parts."""
        return Decoded(self.record, tuple(self.items), tuple(self.rejected))


def foreign_document(record: Record, document: Mapping[str, Any], source: str) -> Foreign:
    """Begin a document of our own JSON shape (`vin`, `source`, `observed_at`, readings).

    Raises `Bad` without a legal VIN, or for a time without an offset.
    """
    vehicle = vehicle_of(document.get("vin"), record.key)
    if vehicle.vin is None:
        raise Bad(Reject.BAD_VIN, vehicle.mistake, "/vin")
    stamp = document.get("observed_at")
    observed = time_of(stamp)
    if stamp is not None and (observed is None or not _has_offset(stamp)):
        raise Bad(Reject.BAD_TIME, "observed_at must be RFC 3339 with an offset", "/observed_at")
    named = document.get("source")
    shared = {name: spelled_number(document.get(name)) for name in ON_THE_ALERT}
    return begin(
        Foreign(
            record=record,
            vin=vehicle.vin,
            source=str(named) if _is_name(named) else source,
            observed_at=observed or received_at(record),
            stamp=stamp_of(stamp, document.get("id")),
            answered_at=observed,
            defaulted=("vin",) if vehicle.is_doubted else (),
        ),
        {**shared, "motion": document.get("motion")},
    )


def begin(foreign: Foreign, shared: Mapping[str, Any]) -> Foreign:
    """Give a document what all its alerts share, as far as it can be believed; name the rest."""
    kept, left_out = members(shared)
    foreign.shared = kept
    foreign.defaulted = (*foreign.defaulted, *left_out)
    if shared.get("motion") is not None:
        motion = word_of("motion", shared["motion"])
        foreign.shared = {**kept, "motion": motion.word}
        foreign.unknown_words = ("motion",) if motion.is_unknown else ()
    return foreign


def _is_name(text: Any) -> bool:
    return isinstance(text, str) and 0 < len(text) <= 100 and text.isprintable()  # noqa: PLR2004


def _has_offset(text: Any) -> bool:
    return datetime.fromisoformat(text.strip()).tzinfo is not None
