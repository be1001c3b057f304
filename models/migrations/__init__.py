"""Alembic migrations; `upgrade` is what `pacc migrate` calls."""

from importlib.resources import files

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from models.tables import SCHEMA_REVISION


def upgrade(engine: sa.Engine) -> str:
    """Bring the database to the newest schema in one transaction, and return its revision."""
    config = Config()
    config.set_main_option("script_location", str(files("models.migrations")))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return SCHEMA_REVISION
