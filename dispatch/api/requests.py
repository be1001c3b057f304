"""What the HTTP API takes: the bodies of its requests, as its documentation shows them."""

from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from models.words import Channel, Disposition


def _no_nul(text: str) -> str:
    if "\x00" in text:
        message = "must not hold a NUL character"
        raise ValueError(message)
    return text


Words = Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(_no_nul)]
Ident = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.\-]+$")]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Claim(_In):
    """`version`: the one that you saw; the claim is refused if the task has changed since."""

    version: int | None = Field(default=None, ge=1, le=2**31 - 1)


class Note(_In):
    """A word about a step."""

    note: Words | None = None


class Pause(Note):
    """How long to wait for the customer: an urgent case 10 minutes at most, others 240.

    Without `minutes`: a quarter of an hour, urgent ones 10. Then the task alarms again.
    """

    minutes: int | None = Field(default=None, ge=1, le=24 * 60)


class Book(Note):
    """When the customer comes with the vehicle, or when it is picked up."""

    appointment_at: AwareDatetime | None = None
    is_pick_up: bool | None = None


class Attempted(Note):
    """By which way the customer was approached in vain."""

    channel: Channel


class TakeOver(_In):
    """Why the task is taken out of another's hand."""

    reason: Words


class Transfer(_In):
    """Which desk goes on, and why."""

    desk: Ident
    reason: Words


class Complete(_In):
    """How the task ended. Which dispositions are possible stands in the task."""

    disposition: Disposition
    note: Words | None = None


class SilenceIn(_In):
    """Why a vehicle's tasks are held back, and until when (none: until it is lifted)."""

    kind: Literal["silence", "workshop"]
    reason: Words
    ends_at: AwareDatetime | None = None


class Reason(_In):
    """Why a fleet issue is held back, or let go."""

    reason: Words
