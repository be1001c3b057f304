"""The settings: one frozen value, read once from the environment and `.env`."""

import difflib
import os
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Final, Literal

from dotenv import dotenv_values
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from ingest.cluster.clearing import DEFAULT_ALIASES
from ingest.formats.decode import FORMATS
from models.errors import SettingsInvalid
from models.words import SurgeRule

PREFIX: Final = "PACC_"
# Of the tests, and what docker-compose.yml takes from the same `.env`.
_NOT_SETTINGS: Final = (
    "PACC_TEST_",
    "PACC_SHARED_DATA",
    "PACC_POSTGRES_PASSWORD",
    "PACC_GRAFANA_PASSWORD",
)
_UNITS: Final = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _duration(value: Any) -> Any:
    """Parse `30s`, `15m`, `2h`."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*", value)
    if match is None:
        message = "a duration carries its unit: 30s, 15m, 2h, 30d"
        raise ValueError(message)
    try:
        return timedelta(**{_UNITS[match[2]]: float(match[1])})
    except OverflowError:
        message = "longer than time itself"
        raise ValueError(message) from None


def _topics(value: Any) -> Any:
    """Parse `topic: format, topic: format`."""
    if not isinstance(value, str):
        return value
    pairs = [part.partition(":") for part in value.split(",") if part.strip()]
    named = all(re.fullmatch(r"[A-Za-z0-9._-]{1,249}", name.strip()) for name, _, _ in pairs)
    if not pairs or not named:
        message = "write it as topic: format, topic: format"
        raise ValueError(message)
    for _, _, form in pairs:
        if form.strip() not in FORMATS:
            message = f"{form.strip() or 'nothing'} is no format; there are {', '.join(FORMATS)}"
            raise ValueError(message)
    return {name.strip(): form.strip() for name, _, form in pairs}


def _aliases(value: Any) -> Any:
    """Parse `source = source that it counts as, …`; what one counts as may itself count as one."""
    if not isinstance(value, str):
        return value
    pairs = [part.partition("=") for part in value.split(",") if part.strip()]
    if any(not name.strip() or not other.strip() for name, _, other in pairs):
        message = "write it as source = source that it counts as, source = …"
        raise ValueError(message)
    direct = {name.strip(): other.strip() for name, _, other in pairs}
    return {name: _end_of(name, direct) for name in direct}


def _end_of(name: str, direct: Mapping[str, str]) -> str:
    for _ in direct:
        name = direct.get(name, name)
    if direct.get(name, name) != name:
        message = f"{name} counts as itself in a circle"
        raise ValueError(message)
    return name


def _keys(value: Any) -> Any:
    """Parse keys with commas between."""
    if not isinstance(value, str):
        return value
    return tuple(key.strip() for key in value.split(",") if key.strip())


Aliases = Annotated[dict[str, str], BeforeValidator(_aliases)]
Keys = Annotated[tuple[str, ...], BeforeValidator(_keys)]
Duration = Annotated[timedelta, BeforeValidator(_duration)]
Topics = Annotated[dict[str, str], BeforeValidator(_topics)]


class Settings(BaseModel):
    """Everything that can be set. Each has its line in `docs/settings.md`."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, extra="forbid")

    database_url: str = "sqlite:///pacc.db"
    kafka_bootstrap_servers: str = "127.0.0.1:9092"
    topics: Topics = {"pacc.alerts": "cloudevents"}
    source_aliases: Aliases = dict(DEFAULT_ALIASES)
    group_id: str = "pacc"
    session_timeout: Annotated[Duration, Field(ge=timedelta(seconds=1))] = timedelta(seconds=10)
    batch: Annotated[int, Field(ge=1, le=100_000)] = 2000
    reject_limit: Annotated[float, Field(ge=0, le=1)] = 0.2
    reject_window: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    canary_every: Duration = timedelta(0)
    stall_after: Annotated[Duration, Field(ge=timedelta(seconds=1))] = timedelta(seconds=60)
    scout_lag: Annotated[int, Field(ge=0, le=100_000_000)] = 500
    heal_after: Duration = timedelta(minutes=30)
    repeat_within: Duration = timedelta(days=30)
    model_trusted_keys: Keys = ()
    model_signing_key: str | None = None
    tow_cost: Annotated[float, Field(gt=0, le=1e9)] = 400.0
    breakdown_cost: Annotated[float, Field(gt=0, le=1e9)] = 2400.0
    urgent_share: Annotated[float, Field(ge=0, le=0.5)] = 0.05
    high_share: Annotated[float, Field(ge=0, le=0.5)] = 0.15
    explore_share: Annotated[float, Field(ge=0, le=0.2)] = 0.0
    lease: Duration = timedelta(seconds=90)
    tend_every: Duration = timedelta(seconds=1)
    surge: SurgeRule = SurgeRule.PROPOSE
    surge_release: Annotated[int, Field(ge=1, le=100_000)] = 60
    fleet_issue_at: Annotated[int, Field(ge=2, le=10_000_000)] = 50
    fleet_issue_within: Annotated[
        Duration, Field(ge=timedelta(minutes=1), le=timedelta(days=7))
    ] = timedelta(hours=1)
    fleet_issue_times: Annotated[float, Field(ge=1, le=1000)] = 5.0
    fleet_issue_over: Annotated[Duration, Field(ge=timedelta(minutes=1), le=timedelta(days=30))] = (
        timedelta(hours=2)
    )
    relay: bool = True
    roadside_topic: str = "pacc.tasks.roadside"
    dealer_topic: str = "pacc.tasks.dealer"
    cases_topic: str = "pacc.cases"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    body_limit: Annotated[int, Field(ge=1024, le=16 * 1024 * 1024)] = 1024 * 1024
    shift: Duration = timedelta(hours=12)
    card_lifetime: Duration = timedelta(hours=4)
    map_url: str | None = None
    map_datum: Literal["wgs84", "gcj02"] = "wgs84"
    oidc_issuer: str | None = None
    oidc_client_id: str = ""
    oidc_client_secret: str = ""
    oidc_claim: str = "preferred_username"
    metrics_host: str = "127.0.0.1"
    metrics_port: Annotated[int, Field(ge=0, le=65535)] = 0
    log_format: Literal["text", "json"] = "text"
    log_level: Literal["debug", "info", "warning", "error"] = "info"


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read and validate the settings of the environment and `.env`.

    Raises `SettingsInvalid` with every mistake; an unknown name comes with the nearest known one.
    """
    source = os.environ if environ is None else environ
    variables = {**_dotenv(), **source}
    named = {
        name.upper(): value
        for name, value in variables.items()
        if name.upper().startswith(PREFIX) and not name.upper().startswith(_NOT_SETTINGS)
    }
    fields = {PREFIX + name.upper(): name for name in Settings.model_fields}
    mistakes = [_unknown(name, list(fields)) for name in sorted(named) if name not in fields]
    values = {fields[name]: value for name, value in named.items() if name in fields}
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        for mistake in error.errors(include_url=False, include_input=False):
            mistakes.append(f"{PREFIX}{str(mistake['loc'][0]).upper()}: {mistake['msg']}")
        raise SettingsInvalid(_refusal(mistakes)) from None
    if mistakes:
        raise SettingsInvalid(_refusal(mistakes))
    return settings


def masked(settings: Settings) -> dict[str, str]:
    """Return the settings in force as text, without secrets."""
    texts = {name: str(value) for name, value in settings.model_dump().items()}
    try:
        texts["database_url"] = masked_url(make_url(settings.database_url))
    except ArgumentError:
        texts["database_url"] = "(not a database address)"
    if settings.oidc_client_secret:
        texts["oidc_client_secret"] = "***"
    return texts


def masked_url(url: URL) -> str:
    """Return a database address without its password, wherever the address carries it."""
    query = {name: "***" if "pass" in name.lower() else value for name, value in url.query.items()}
    return url.set(query=query).render_as_string(hide_password=True)


def _dotenv() -> dict[str, str]:
    return {name: value for name, value in dotenv_values(".env").items() if value is not None}


def _refusal(mistakes: list[str]) -> str:
    return "\n  ".join(["The settings cannot be used:", *mistakes])


def _unknown(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0)
    return f"{name} is no setting; did you mean {near[0]}?"
