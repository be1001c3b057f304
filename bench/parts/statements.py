"""What PostgreSQL alone takes for the statements of a run: the most that any worker could do in it.

They are recorded as they are sent, then run again, one after the other, on a database that is as
the first one was. Nothing is polled, decoded, decided or spelled meanwhile.
"""

import time
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import sqlalchemy as sa

from pacc.process.database import make_engine

_COMMIT = "commit"
Sent = tuple[str, Any]  # a statement and its parameters


def recorded(engine: sa.Engine) -> list[Sent]:
    """Return a list that holds from now on what an engine is sent, and its commits."""
    sent: list[Sent] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *event: sent.append(event[2:4]))
    sa.event.listen(engine, "commit", lambda _connection: sent.append((_COMMIT, None)))
    return sent


def document_bytes(sent: Sequence[Sent]) -> int:
    """Count the bytes of the rows in what was sent."""
    return sum(
        len(parameters.get("document", ""))
        for _, parameters in sent
        if isinstance(parameters, dict)
    )


def again(url: str, sent: Sequence[Sent]) -> float:
    """Run what was sent on a fresh database; return the seconds."""
    engine = make_engine(url)
    with closing(engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
        began = time.perf_counter()
        for statement, parameters in sent:
            if statement == _COMMIT:
                connection.commit()
                continue
            run = cursor.executemany if isinstance(parameters, list) else cursor.execute
            run(statement, parameters)
        seconds = time.perf_counter() - began
    engine.dispose()
    return seconds
