"""The migrations lead to the tables that the code declares."""

import re
from typing import Any

import sqlalchemy as sa

from models import tables as t


def _schema(engine: sa.Engine) -> dict[str, Any]:
    """Return columns, keys, and every index with its condition, as the database tells of them.

    SQLite does not look at the length of a text, and the migrations leave it there as it was.
    """
    is_server = engine.dialect.name == "postgresql"
    if is_server:
        query = "select indexname, indexdef from pg_indexes where schemaname = 'public'"
    else:
        query = "select name, sql from sqlite_master where type = 'index' and sql is not null"

    def spelled(kind: Any) -> str:
        return str(kind) if is_server else re.sub(r"\(\d+\)", "", str(kind))

    with engine.begin() as connection:
        indexes = connection.execute(sa.text(query)).all()
        ask = sa.inspect(connection)
        tables = {
            name: (
                sorted(
                    (one["name"], spelled(one["type"]), one["nullable"])
                    for one in ask.get_columns(name)
                ),
                ask.get_pk_constraint(name)["constrained_columns"],
            )
            for name in t.metadata.tables
        }
    plain = {name: re.sub(r"\s+", " ", one) for name, one in indexes if "alembic" not in name}
    return {**tables, **plain}


def test_the_migrations_make_what_the_code_declares(engine: sa.Engine) -> None:
    migrated = _schema(engine)
    with engine.begin() as connection:
        t.metadata.drop_all(connection)
        t.metadata.create_all(connection)
    assert migrated == _schema(engine)
