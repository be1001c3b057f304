"""The evaluation report of a model, for the engineer: one page that brings its own style."""

import hashlib
import re
from base64 import b64encode
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse

from dispatch.access.api_auth import InOffice
from dispatch.console.login.session import AsVisitor
from dispatch.read.model_reports import model_report

router = APIRouter(include_in_schema=False)
NONE = "'none'"
Version = Annotated[str, Path(max_length=40, pattern=r"^[0-9a-f]+$")]


@router.get("/model/{version}/report")
def report(office: InOffice, visitor: AsVisitor, version: Version) -> HTMLResponse:
    """Show the newest report of a version; like nothing at all to whoever is no engineer."""
    with office.engine.begin() as connection:
        page = model_report(connection, version, visitor.actor)
    return HTMLResponse(page, headers={"Content-Security-Policy": _policy(page)})


def _policy(page: str) -> str:
    """Allow the page's pictures and exactly the style that stands in it, and nothing else."""
    styles = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    hashes = " ".join(f"'sha256-{_sha256(one)}'" for one in styles)
    return f"default-src 'none'; img-src data:; style-src {hashes or NONE}; base-uri 'none'"


def _sha256(text: str) -> str:
    return b64encode(hashlib.sha256(text.encode()).digest()).decode()
