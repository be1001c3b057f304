"""The evaluation report of a model, for the engineer: one page that brings its own style."""

import hashlib
import re
from base64 import b64encode
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse

from dispatch.access.api_auth import InOffice
from dispatch.console.login.session import AsVisitor
from models import tables as t
from models.errors import NotThere
from models.words import Role

router = APIRouter(include_in_schema=False)
NONE = "'none'"
Version = Annotated[str, Path(max_length=40, pattern=r"^[0-9a-f]+$")]


@router.get("/model/{version}/report")
def report(office: InOffice, visitor: AsVisitor, version: Version) -> HTMLResponse:
    """Show the newest report of a version; like nothing at all to whoever is no engineer."""
    v = t.model_version.c
    with office.engine.begin() as connection:
        page = connection.execute(sa.select(v.report).where(v.version == version)).scalar()
    if page is None or visitor.actor.role is not Role.ENGINEER:
        raise NotThere("There is no report of %(version)s.", {"version": version})
    return HTMLResponse(page, headers={"Content-Security-Policy": _policy(page)})


def _policy(page: str) -> str:
    """Allow the page's pictures and exactly the style that stands in it, and nothing else."""
    styles = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    hashes = " ".join(f"'sha256-{_sha256(one)}'" for one in styles)
    return f"default-src 'none'; img-src data:; style-src {hashes or NONE}; base-uri 'none'"


def _sha256(text: str) -> str:
    return b64encode(hashlib.sha256(text.encode()).digest()).decode()
