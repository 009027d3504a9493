"""Pages that do what they are told, for tests of what every request to the portal goes through."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from softix_proxy.web.portal.core.page import (
    END_OF_SESSION,
    Access,
    Answer,
    Content,
    Download,
    NewCookie,
    Page,
    PageRequest,
    PortalRoute,
    SeeOther,
)

SCRIPT = "<script>alert(1)</script>"


async def echo(request: PageRequest) -> Answer:
    said = (
        request.address,
        request.device,
        request.query.get("q", ""),
        request.form.get("q", ""),
        request.is_signed_in,
    )
    return Content("\n".join(map(str, said)).encode(), "text/plain")


async def page(request: PageRequest) -> Answer:
    return Page("error", {"name": "input", "told": {}, "request_id": request.query.get("q")})


async def fail(request: PageRequest) -> Answer:
    raise ValueError(SCRIPT)


async def save(request: PageRequest) -> Answer:
    return SeeOther("/page", "flash.saved")


async def sign_in(request: PageRequest) -> Answer:
    return SeeOther("/page", cookie=NewCookie("fresh", 600))


async def sign_out(request: PageRequest) -> Answer:
    return SeeOther("/page", "flash.signed_out", cookie=END_OF_SESSION)


async def choose(request: PageRequest) -> Answer:
    return SeeOther("/page", organisation=request.form["q"])


async def leave(request: PageRequest) -> Answer:
    return SeeOther(request.form["q"])


async def download(request: PageRequest) -> Answer:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"a,b\r\n"
        if "q" in request.query:
            raise ValueError(SCRIPT)
        yield b"1,2\r\n"

    return Download(chunks(), 'usage of "ada"\r\n.csv', "text/csv; charset=utf-8")


async def program(request: PageRequest) -> Answer:
    said = (str(len(request.body)), request.headers.get("stripe-signature", ""), str(request.is_signed_in))
    return Content("\n".join(said).encode(), "text/plain")


def rows(path: str, handler: Any, access: Access = Access.PUBLIC) -> list[PortalRoute]:
    return [PortalRoute(method, path, handler, access, "account.update") for method in ("GET", "POST")]


ROUTES = [
    *rows("/echo", echo),
    *rows("/page", page),
    *rows("/fail", fail),
    *rows("/save", save),
    *rows("/to/sign-in", sign_in),
    *rows("/to/sign-out", sign_out),
    *rows("/choose", choose),
    *rows("/leave", leave),
    PortalRoute("GET", "/download", download, Access.PUBLIC, "page.show"),
    *rows("/own", echo, Access.SIGNED_IN),
    *rows("/recent", echo, Access.RECENT),
    *rows("/admin/x", echo, Access.OPERATOR),
    PortalRoute("POST", "/own/{id}", echo, Access.SIGNED_IN, "account.update"),
    PortalRoute("POST", "/webhooks/x", program, Access.PROGRAM, "payments.webhook"),
    PortalRoute("GET", "/healthz", echo, Access.PUBLIC, "page.show"),
]
