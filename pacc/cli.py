"""The command line: `pacc <noun> <verb>`."""

import errno
import sys
from typing import TYPE_CHECKING

import typer

from models.errors import PaccError, Unreachable
from pacc.commands.registry import LazyCommands, add_commands
from pacc.process.terminal import print_stderr

if TYPE_CHECKING:
    import sqlalchemy as sa

app = typer.Typer(
    name="pacc",
    cls=LazyCommands,
    help="Proactive Customer Care 主动客户支持: vehicle fault alerts become customer care.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
add_commands(app)

_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


def main() -> None:
    """Run a command; print an expected failure as one sentence and exit with its code."""
    try:
        app()
    except SystemExit:
        raise  # every command ends so: it must not wait for the import below
    except PaccError as error:
        print_stderr(f"pacc: {error}")
        for line in error.facts.get("lines", ()):
            print_stderr(f"  {line}")
        sys.exit(error.exit_code)
    except _outages() as error:
        what = str(error.orig).strip().splitlines()[0] if error.orig else str(error)
        print_stderr(
            f"pacc: the database cannot be used: {what}. What was committed stands; start again."
        )
        sys.exit(Unreachable.exit_code)
    except OSError as error:
        if error.errno not in _DISK:
            raise
        print_stderr(f"pacc: cannot write: {error.strerror}. Make room and start again.")
        sys.exit(Unreachable.exit_code)


def _outages() -> tuple[type["sa.exc.DBAPIError"], ...]:
    """Return the exceptions that an outage of the database raises."""
    from models.sql import OUTAGES  # noqa: PLC0415 - takes half a second to import

    return OUTAGES


if __name__ == "__main__":
    main()
