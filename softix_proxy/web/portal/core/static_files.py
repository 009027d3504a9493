"""The files below `/static/`. The hash of a file is in its URL, so that browsers keep it for a year."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from softix_proxy.web.portal.core.page import Access, Answer, Content, PageRequest, PortalRoute


class StaticFile(NamedTuple):
    url: str
    content: Content


@cache
def style_sheet() -> StaticFile:
    """Returns the one style sheet of all pages."""
    return static_file("portal.css", "text/css; charset=utf-8")


def static_file(name: str, content_type: str) -> StaticFile:
    """Returns a file of `data/`, with the URL under which it is served."""
    body = files("softix_proxy").joinpath(f"data/{name}").read_bytes()
    return StaticFile(
        f"/static/{name}?{hashlib.sha256(body).hexdigest()[:16]}", Content(body, content_type, is_forever=True)
    )


async def show_style_sheet(request: PageRequest) -> Answer:
    return style_sheet().content


async def show_health(request: PageRequest) -> Answer:
    """Answers that the process is alive. It reads no books, and every name of the host is good enough for it."""
    return Content(b'{"status":"ok"}', "application/json")


HEALTH = "/healthz"
ROUTES = (
    PortalRoute("GET", "/static/portal.css", show_style_sheet, Access.PUBLIC, "page.show"),
    PortalRoute("GET", HEALTH, show_health, Access.PUBLIC, "page.show"),
)
