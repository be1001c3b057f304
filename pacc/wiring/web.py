"""Builds the web application: the API and the console."""

from collections.abc import Sequence

from fastapi import FastAPI

from dispatch.access.api_auth import WebContext
from dispatch.console.show.settings import Code, Console, Oidc, RuleShown
from models.make import make_of
from pacc.process.clock import utc_now
from pacc.process.database import FROZEN_SECONDS, LOCKED_SECONDS, make_engine
from pacc.process.settings import Settings
from pacc.watch.metrics import Metrics
from pacc.web.app import make_app
from pacc.wiring import pipeline
from prioritizer.features.advice import advice_for
from prioritizer.ranking.rank import load_ranker


def make_web_app(settings: Settings, metrics: Metrics) -> FastAPI:
    """Build the web application on the settings' database."""
    engine = make_engine(
        settings.database_url, idle_seconds=FROZEN_SECONDS, lock_seconds=LOCKED_SECONDS
    )
    context = WebContext(engine, pipeline.make_dispatch_policy(settings, engine), utc_now)
    console = make_console(settings)
    app = make_app(context, pipeline.make_intake(settings), metrics, settings.body_limit, console)
    # builds every route now: a mistake shows at the start, and requests do not build it twice
    app.openapi()
    return app


def make_console(settings: Settings) -> Console:
    """Return what the console shows of codes and rules, and its settings."""
    ranker = load_ranker()

    def code(name: str, vin: str | None) -> Code:
        entry = ranker.catalogue.entry(name, make_of(vin) if vin else None)
        return Code(entry.system.value, entry.title, entry.advice)

    def rules(fired: Sequence[str]) -> list[RuleShown]:
        return [
            RuleShown(rule.rule_id, rule.title, rule.floor, rule.rule_id in fired)
            for rule in ranker.rules.rules
            if rule.is_on
        ]

    oidc = None
    if settings.oidc_issuer:
        oidc = Oidc(
            settings.oidc_issuer,
            settings.oidc_client_id,
            settings.oidc_client_secret,
            settings.oidc_claim,
        )
    return Console(
        code,
        rules,
        advice_for,
        settings.shift,
        settings.card_lifetime,
        settings.map_url,
        settings.map_datum,
        oidc,
    )
