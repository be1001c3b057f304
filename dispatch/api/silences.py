"""The HTTP API of silences: holding a vehicle's tasks back, and letting them go again."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from dispatch.access.api_auth import AsActor, InOffice
from dispatch.api.answers import SilenceMade
from dispatch.api.requests import Ident, SilenceIn
from dispatch.api.writing import Asked, act
from dispatch.tasks import silences
from models.alert import VIN_PATTERN

router = APIRouter(tags=["silences"])
Vin = Annotated[str, Path(pattern=VIN_PATTERN)]


@router.post("/vehicles/{vin}/silences", status_code=201, response_model=SilenceMade)
def silence(office: InOffice, actor: AsActor, asked: Asked, vin: Vin, body: SilenceIn) -> Response:
    """Hold a vehicle's waiting tasks back. Urgent ones are never held."""
    return act(
        office,
        actor,
        asked,
        lambda acting: SilenceMade(
            silence_id=silences.silence(acting, vin, body.kind, body.ends_at, body.reason)
        ),
        status=201,
    )


@router.post("/silences/{silence_id}/lift", status_code=204)
def lift(
    office: InOffice,
    actor: AsActor,
    asked: Asked,
    silence_id: Annotated[Ident, Path(description="A silence.")],
) -> Response:
    """End a silence now."""
    act(
        office,
        actor,
        asked,
        lambda acting: silences.lift(acting, silence_id),
    )
    return Response(status_code=204)
