"""The soak's own eyes in the database: a journal of every move of a position, and who made it."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

import sqlalchemy as sa

from models.migrations import upgrade
from pacc.process.database import make_engine

# The driver's own connections are never the ones that are disturbed.
DRIVER: Final = "driver"
_JOURNAL: Final = """
create table soak_move (
  number bigserial primary key, at timestamptz not null default clock_timestamp(),
  app text not null, part integer not null, epoch bigint not null, is_take boolean not null,
  first bigint not null, past bigint not null);
create function soak_note() returns trigger language plpgsql as $$ begin
  insert into soak_move (app, part, epoch, is_take, first, past) values (
    current_setting('application_name'), new.part, new.epoch, new.epoch <> old.epoch,
    old.next_offset, new.next_offset);
  return new; end $$;
create trigger soak_note after update on position for each row
  when (new.epoch <> old.epoch or new.next_offset <> old.next_offset)
  execute function soak_note();
"""
_T = TypeVar("_T")


def driver_engine(url: str) -> sa.Engine:
    """Make the driver's engine: neither a statement timeout nor read-only touches it."""
    return make_engine(
        sa.make_url(url)
        .update_query_dict(
            {
                "application_name": DRIVER,
                "options": "-c statement_timeout=0 -c default_transaction_read_only=off",
            }
        )
        .render_as_string(hide_password=False)
    )


def prepare(engine: sa.Engine) -> None:
    """Bring the schema and the journal."""
    upgrade(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql(_JOURNAL)


def patiently(do: Callable[[], _T], seconds: float = 60) -> _T:
    """Do something with the database, again and again while it cannot be reached."""
    until = time.monotonic() + seconds
    while True:
        try:
            return do()
        except sa.exc.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
