"""Renders pages: Jinja2 with our sentences in the reader's language, times in their desk's zone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import jinja2
from babel import Locale
from babel.dates import format_datetime, format_timedelta
from fastapi import Response
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from dispatch.access.sessions import Session
from dispatch.console.show import languages
from dispatch.console.show.geography import Nearby
from dispatch.console.show.security_headers import SECURITY_HEADERS
from dispatch.read.queue import COUNTED
from models.words import Role

HOME_ZONE: Final = ZoneInfo("Asia/Shanghai")  # of people who belong to no one desk

_LOCALES: Final = {language: Locale.parse(language) for language in languages.LANGUAGES}

_PAGES: Final = {
    "/queue": (languages.N_("Roadside queue"), (Role.OPERATOR, Role.SUPERVISOR, Role.ENGINEER)),
    "/customers": (languages.N_("Customers"), (Role.DEALER, Role.SUPERVISOR, Role.ENGINEER)),
    "/board": (languages.N_("Board"), (Role.SUPERVISOR, Role.ADMINISTRATOR)),
    "/handover": (languages.N_("Hand-over"), (Role.OPERATOR, Role.DEALER, Role.SUPERVISOR)),
    "/wall": (languages.N_("Wall"), (Role.OPERATOR, Role.SUPERVISOR)),
    "/docs": (languages.N_("API"), (Role.ENGINEER,)),
}


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom a page is made: the session (None: not logged in), the language, the zone."""

    session: Session | None
    language: str
    now: datetime
    zone: ZoneInfo = HOME_ZONE


@cache
def _environment(language: str) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("dispatch.console"),
        autoescape=True,
        extensions=["jinja2.ext.i18n"],
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # none is looked up on disk again
    )
    translations = languages.catalogue(language)
    environment.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined]
    environment.globals["words"] = languages
    environment.globals["other_languages"] = [
        one for one in languages.LANGUAGES.items() if one[0] != language
    ]
    environment.globals["label"] = lambda table, word: translations.ugettext(table.get(word, word))
    environment.globals["nearby"] = lambda place: _place(place, language)
    environment.filters["pages"] = lambda reader: [
        (path, translations.ugettext(name))
        for path, (name, roles) in _PAGES.items()
        if reader.session.person.actor.role in roles
    ]
    environment.filters["said"] = lambda text: languages.chosen(text, language)
    environment.filters["counted"] = lambda many: many if many < COUNTED else f"{COUNTED - 1}+"
    environment.filters["masked"] = lambda vin: f"…{vin[-6:]}"
    return environment


def render(
    reader: Reader,
    template: str,
    context: Mapping[str, Any],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Render a template into a page."""
    environment = _environment(reader.language)
    session = reader.session
    page = environment.get_template(template).render(
        reader=reader,
        session=session,
        me=session.person.actor if session else None,
        lang="zh-CN" if reader.language == "zh" else "en",
        csrf=csrf_field(session),
        when=lambda moment, form="MMMd HH:mm": _when(reader, moment, form),
        ago=lambda moment: _ago(reader, moment),
        ms=lambda moment: int(moment.timestamp() * 1000),
        **context,
    )
    return HTMLResponse(page, status, {**SECURITY_HEADERS, **(headers or {})})


def translate(language: str, sentence: str, /, **values: Any) -> str:
    """Return a sentence in a language, with its values."""
    return languages.catalogue(language).ugettext(sentence) % values


def csrf_field(session: Session | None) -> Markup:
    """The hidden field that goes with every form."""
    value = session.csrf if session else ""
    return Markup('<input type="hidden" name="csrf" value="{}">').format(value)


def _when(reader: Reader, moment: datetime | None, form: str) -> str:
    if moment is None:
        return "–"
    if form == "MMMd HH:mm":
        form = "M月d日 HH:mm" if reader.language == "zh" else "d MMM HH:mm"
    return format_datetime(moment, form, reader.zone, locale=_LOCALES[reader.language])


def _ago(reader: Reader, moment: datetime) -> str:
    return format_timedelta(
        moment - reader.now, add_direction=True, locale=_LOCALES[reader.language], threshold=1.2
    )


def _place(place: Nearby, language: str) -> str:
    city = place.city_zh if language == "zh" else place.city_en
    if place.direction is None:
        return city
    return translate(
        language,
        languages.N_("%(km)d km %(direction)s of %(city)s"),
        km=round(place.km),
        direction=languages.catalogue(language).ugettext(place.direction),
        city=city,
    )
