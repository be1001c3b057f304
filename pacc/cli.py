"""The command line: `pacc <noun> <verb>`."""

import errno
import sys

import sqlalchemy as sa
import typer

from models.errors import PaccError, Unreachable
from pacc.commands import (
    admin,
    demo,
    keys,
    look,
    masters,
    model,
    people,
    quarantine,
    rules,
    service,
    simulation,
    stream,
)
from pacc.terminal import say

app = typer.Typer(
    name="pacc",
    help="Proactive Customer Care 主动客户支持: vehicle fault alerts become customer care.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
_GROUPS = (
    admin, stream, service, look, masters, keys, people, quarantine, rules, model,
    simulation, demo,
)  # fmt: skip
for group in _GROUPS:
    group.add_to(app)

_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


def main() -> None:
    """Run a command; an expected failure ends in one sentence and its exit code."""
    try:
        app()
    except PaccError as error:
        say(f"pacc: {error}")
        for line in error.facts.get("lines", ()):
            say(f"  {line}")
        sys.exit(error.exit_code)
    except (sa.exc.OperationalError, sa.exc.InterfaceError) as error:
        what = str(error.orig).strip().splitlines()[0] if error.orig else str(error)
        say(f"pacc: the database cannot be used: {what}. What was committed stands; start again.")
        sys.exit(Unreachable.exit_code)
    except OSError as error:
        if error.errno not in _DISK:
            raise
        say(f"pacc: cannot write: {error.strerror}. Make room and start again.")
        sys.exit(Unreachable.exit_code)


if __name__ == "__main__":
    main()
