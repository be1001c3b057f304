"""Puts the web application together: the API and the console."""

from collections.abc import Sequence

from fastapi import FastAPI

from dispatch.auth import Office
from dispatch.console.setup import Code, Console, Oidc, RuleShown
from pacc import wiring
from pacc.app import make_app
from pacc.clock import utc_now
from pacc.database import FROZEN_SECONDS, LOCKED_SECONDS, make_engine
from pacc.metrics import Metrics
from pacc.settings import Settings
from prioritizer.rank import load_ranker


def make_web(settings: Settings, metrics: Metrics) -> FastAPI:
    """Put the web application together on the settings' database."""
    engine = make_engine(
        settings.database_url, idle_seconds=FROZEN_SECONDS, lock_seconds=LOCKED_SECONDS
    )
    office = Office(engine, wiring.make_house(settings, engine), utc_now)
    console = make_console(settings)
    app = make_app(office, wiring.make_intake(settings), metrics, settings.body_limit, console)
    # builds every route now: a mistake shows at the start, and no two requests build one at once
    app.openapi()
    return app


def make_console(settings: Settings) -> Console:
    """Give the console what it shows of codes and rules, and the settings of its own."""
    ranker = load_ranker()

    def code(name: str) -> Code:
        entry = ranker.catalogue.entry(name)
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
        code, rules, settings.shift, settings.card_lifetime, settings.map_url, settings.map_datum,
        oidc,
    )  # fmt: skip
