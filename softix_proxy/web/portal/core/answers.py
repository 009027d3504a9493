"""Turns the answer of a page into a response, with all its headers."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.core.headers import Header
from softix_proxy.domain.core.loopback import is_loopback
from softix_proxy.web.portal.core import navigation
from softix_proxy.web.portal.core.page import Answer, Content, Download, NewCookie, Page, SeeOther
from softix_proxy.web.portal.core.page_exchange import PageExchange
from softix_proxy.web.portal.core.return_path import is_own_path
from softix_proxy.web.portal.core.security_headers import security_headers
from softix_proxy.web.portal.core.session_cookie import CookieParts, write_cookie
from softix_proxy.web.portal.core.static_files import style_sheet
from softix_proxy.web.server.client_connection import SERVER

log = logging.getLogger("softix.portal")
_HTML = "text/html; charset=utf-8"
_ODD = re.compile(r"[^A-Za-z0-9._-]+")
_PREFIX = "flash."


async def send(exchange: PageExchange, answer: Answer) -> web.StreamResponse:
    """Returns the response of an answer. A download is sent before this returns."""
    if isinstance(answer, Page):
        return _page(exchange, answer)
    if isinstance(answer, SeeOther):
        return _redirect(exchange, answer)
    if isinstance(answer, Content):
        return _response(
            exchange, answer.status, answer.body, answer.content_type, _safe(exchange, is_forever=answer.is_forever)
        )
    return await _download(exchange, answer)


def _page(exchange: PageExchange, page: Page) -> web.Response:
    cookie = exchange.cookie
    text = exchange.context.templates.render(page.template, {**_frame(exchange), **page.values})
    headers = _safe(exchange, forms_to=page.forms_to, has_script=page.has_script)
    if page.cookie is not None:
        headers.append(_set_cookie(exchange, page.cookie, cookie.without_message()))
    elif cookie.message:
        headers.append(_set_cookie(exchange, None, cookie.without_message()))
    return _response(exchange, page.status, text.encode(), _HTML, headers)


def _frame(exchange: PageExchange) -> Mapping[str, Any]:
    """Returns what the layout of every page needs."""
    viewer, context = exchange.viewer, exchange.context
    message = exchange.cookie.message
    path = exchange.raw_path
    return {
        "style_sheet": style_sheet().url,
        "viewer": viewer,
        "path": path,
        "menu": [] if viewer is None else navigation.menu(viewer, context.served, context.settings.roles.table),
        "is_current": lambda item: navigation.is_current(item, path),
        "served": context.served,
        "flash": message if message.startswith(_PREFIX) and message in context.texts else None,
        "zone": context.settings.billing.zone,
        "registration": context.settings.portal.registration,
        "oidc_button": context.settings.oidc.button if context.settings.oidc.is_enabled else None,
        "terms_url": context.settings.portal.terms_url,
        "privacy_url": context.settings.portal.privacy_url,
    }


def _redirect(exchange: PageExchange, answer: SeeOther) -> web.Response:
    location = answer.location
    if not is_own_path(location) and not location.startswith("https://") and not _is_local(exchange, location):
        raise ValueError("a redirect leads neither to a page nor to a site over TLS")
    headers = [*_safe(exchange), ("Location", location)]
    parts = exchange.cookie
    after = CookieParts(
        parts.token,
        parts.organisation if answer.organisation is None else answer.organisation,
        answer.message or parts.message,  # one that waits for its page goes on waiting
    )
    if answer.cookie is not None or after != parts:
        headers.append(_set_cookie(exchange, answer.cookie, after))
    return _response(exchange, 303, b"", _HTML, headers)


def _is_local(exchange: PageExchange, location: str) -> bool:
    """Returns whether a portal that is tried out on this machine leads to another program on it."""
    parts = urlsplit(location)
    return exchange.context.url.is_loopback and parts.scheme == "http" and is_loopback(parts.hostname or "")


def _set_cookie(exchange: PageExchange, new: NewCookie | None, parts: CookieParts) -> Header:
    if new is not None:
        kept = CookieParts(new.token, parts.organisation if new.token else "", parts.message)
        return "Set-Cookie", write_cookie(kept, new.max_age_s)
    left_s = 0 if exchange.session is None else (exchange.session.ends_at_us - exchange.now_us) // SECOND_US
    token = parts.token if left_s > 0 else ""
    return "Set-Cookie", write_cookie(CookieParts(token, parts.organisation, parts.message), left_s)


async def _download(exchange: PageExchange, answer: Download) -> web.StreamResponse:
    response = web.StreamResponse(status=200)
    name = _ODD.sub("_", answer.file_name)[:100]
    for header, value in _safe(exchange):
        response.headers.add(header, value)
    response.headers["Content-Type"] = answer.content_type
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    await response.prepare(exchange.request)
    try:
        if exchange.method != "HEAD":
            async for chunk in answer.chunks:
                await response.write(chunk)
        await response.write_eof()
    except Exception as error:  # noqa: BLE001 - a page can no longer be sent, and a download that ends early must show it
        if exchange.request.transport is not None:
            log.error("a download failed", extra={"request_id": exchange.id, "error": type(error).__name__})
            exchange.request.transport.abort()
    return response


def _safe(
    exchange: PageExchange, *, forms_to: tuple[str, ...] = (), has_script: bool = False, is_forever: bool = False
) -> list[Header]:
    safe = security_headers(
        is_https=exchange.context.url.is_https, forms_to=forms_to, has_script=has_script, is_forever=is_forever
    )
    return [*safe, ("Server", SERVER), ("x-softix-request-id", exchange.id), *exchange.more_headers]


def _response(
    exchange: PageExchange, status: int, body: bytes, content_type: str, headers: list[Header]
) -> web.Response:
    response = web.Response(status=status, body=body)
    response.headers["Content-Type"] = content_type
    for name, value in headers:
        response.headers.add(name, value)
    return response
