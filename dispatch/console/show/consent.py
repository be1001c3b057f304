"""Asking an owner whether we may call: a ready text in their language, for the app or a message."""

from dataclasses import dataclass

from dispatch.console.show import languages
from dispatch.console.show.languages import N_
from dispatch.console.show.queue_rows import ShownRow
from dispatch.console.show.templates import Reader, translate
from dispatch.read.vehicles import OwnerRow
from models.person import Actor


@dataclass(frozen=True, slots=True)
class Asking:
    """What to send to an owner, and in which language it is."""

    text: str
    language: str


def asking(reader: Reader, actor: Actor, owner: OwnerRow | None, task: ShownRow) -> Asking | None:
    """Write to an owner who has not agreed to calls: which car, why, who asks, how to answer.

    None where the owner is not known, or has agreed already.
    """
    if owner is None or owner.has_consent:
        return None
    language = _language(owner.language, reader.language)
    car = " ".join(one for one in (task.model, task.plate or f"…{task.vin[-6:]}") if one)
    greeting = (
        translate(language, N_("Dear %(name)s,"), name=owner.name)
        if owner.name
        else translate(language, N_("Dear customer,"))
    )
    text = translate(
        language,
        N_(
            "this is %(who)s of %(desk)s. Your car %(car)s has reported: %(what)s. May we call you "
            "about it? Answer YES, and we call you; answer NO, and we do not call. You can take "
            "your answer back at any time."
        ),
        who=actor.name,
        desk=languages.chosen(task.desk_name, language),
        car=car,
        what=languages.chosen(task.title, language),
    )
    return Asking(f"{greeting}\n{text}", language)


def _language(known: str | None, otherwise: str) -> str:
    """The owner's language, if it is one of ours; the reader's otherwise."""
    first = (known or "").lower()[:2]
    return first if first in languages.LANGUAGES else otherwise
