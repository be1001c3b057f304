"""`pacc person`: people of the console added, disabled, listed."""

from typing import Annotated

import typer

from dispatch.access.people import add_person, disable_person, list_people
from models.words import Role
from pacc.process.clock import utc_now
from pacc.process.database import open_engine
from pacc.process.settings import load_settings
from pacc.process.terminal import AsJson, print_facts, print_rows

person = typer.Typer(help="People who log in to the console.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    person.command("add")(add)
    person.command("disable")(disable)
    person.command("list")(show)
    app.add_typer(person, name="person")


def add(
    login: Annotated[str, typer.Argument(help="The name to log in with.")],
    role: Annotated[Role, typer.Option(help="What the person may do.")],
    desk: Annotated[list[str] | None, typer.Option(help="Where the person works.")] = None,
    name: Annotated[str | None, typer.Option(help="What colleagues see.")] = None,
    language: Annotated[str, typer.Option(help="zh or en; can be changed in the page.")] = "zh",
    totp: Annotated[bool, typer.Option(help="Ask for a second factor.")] = False,
    ask_password: Annotated[bool, typer.Option(help="Type a password instead of a made one.")] = (
        False
    ),
    as_json: AsJson = False,
) -> None:
    """Add a person. What lets them in is shown now and never again."""
    engine = open_engine(load_settings().database_url)
    password = None
    if ask_password:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    with engine.begin() as connection:
        document = add_person(
            connection,
            login,
            role,
            desk or [],
            utc_now(),
            name=name,
            language=language,
            password=password,
            with_totp=totp,
        )
    print_facts(document, as_json=as_json)


def disable(login: str, as_json: AsJson = False) -> None:
    """Let a person in no more; their sessions end at once."""
    engine = open_engine(load_settings().database_url)
    with engine.begin() as connection:
        disable_person(connection, login, utc_now())
    print_facts({"disabled": login}, as_json=as_json)


def show(as_json: AsJson = False) -> None:
    """List the people, without what lets them in."""
    engine = open_engine(load_settings().database_url)
    with engine.begin() as connection:
        rows = list_people(connection)
    columns = ("login", "name", "role", "desks", "language", "has_totp", "disabled_at")
    print_rows(rows, columns, as_json=as_json)
