"""The evaluation reports of trained models, for engineers."""

import sqlalchemy as sa

from models import tables as t
from models.errors import NotThere
from models.person import Actor
from models.words import Role


def model_report(connection: sa.Connection, version: str, actor: Actor) -> str:
    """Return the newest report of a version as a page.

    Raises `NotThere` for an unknown version, and for whoever is no engineer.
    """
    v = t.model_version.c
    page = connection.execute(sa.select(v.report).where(v.version == version)).scalar()
    if page is None or actor.role is not Role.ENGINEER:
        raise NotThere("There is no report of %(version)s.", {"version": version})
    return str(page)
