"""The steps of every request to the portal, in their order. Each refuses, answers, or lets the request go on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from softix_proxy.domain.access.operations import OPERATIONS
from softix_proxy.domain.accounts.accounts import permissions_of
from softix_proxy.domain.accounts.factors import needs_factor
from softix_proxy.domain.accounts.sessions import Session, is_recent
from softix_proxy.domain.privacy.technical_data import CallOrigin, checked_address
from softix_proxy.operations.accounts import account_view, sessions
from softix_proxy.operations.privacy.user_agents import agent_of
from softix_proxy.web.portal.core.error_pages import PageRefusedError, missing
from softix_proxy.web.portal.core.form_body import FORM_BYTES, PROGRAM_BYTES, parse_form, parse_query
from softix_proxy.web.portal.core.page import Access, Answer, SeeOther, Viewer
from softix_proxy.web.portal.core.page_exchange import PageExchange
from softix_proxy.web.portal.core.portal_router import PortalRouter
from softix_proxy.web.portal.core.request_origin import is_own_form
from softix_proxy.web.portal.core.return_path import HOME, with_return
from softix_proxy.web.portal.core.session_cookie import read_cookie
from softix_proxy.web.portal.core.static_files import HEALTH
from softix_proxy.web.server import request_body
from softix_proxy.web.server.client_connection import tls_of

PageStep = Callable[[PageExchange], Awaitable[Answer | None]]
"""Returns an answer that ends the request, or None. Raises PageRefusedError, RefusedError, OperatorError."""
SIGN_IN, SECOND_FACTOR, CONFIRM = "/sign-in", "/sign-in/second-factor", "/sign-in/confirm"
FACTORS = "/account/factors"
_WITHOUT_FACTOR = ("/account", SIGN_IN, "/organisation")
"""The beginnings of paths that need no second factor, whatever the role."""
_MISDIRECTED = 421
_METHODS = frozenset(("GET", "HEAD", "POST"))


def steps(router: PortalRouter) -> Sequence[PageStep]:
    """Returns the steps. A later one relies on what an earlier one has checked."""

    async def find_route(exchange: PageExchange) -> Answer | None:
        found = router.find(exchange.raw_path)
        if found is None:
            raise missing()
        method = "GET" if exchange.method == "HEAD" else exchange.method
        route = found.by_method.get(method)
        if route is None:
            exchange.more_headers.append(("Allow", ", ".join(sorted(found.by_method))))
            raise PageRefusedError(405, "method")
        exchange.route, exchange.parts = route, found.parts
        if exchange.is_change:
            exchange.form_path = nearest_page(router, exchange.raw_path)
        return None

    return (
        check_host,
        find_route,
        check_origin,
        read_query,
        find_viewer,
        check_access,
        read_body,
        find_origin,
        run_handler,
    )


def nearest_page(router: PortalRouter, path: str) -> str:
    """Returns the page at the path or above it: the one with the form or the button that leads to the path."""
    while path:
        found = router.find(path)
        if found is not None and "GET" in found.by_method:
            return path
        path = path.rpartition("/")[0]
    return HOME


async def check_host(exchange: PageExchange) -> Answer | None:
    """Refuses every host name but that of the public URL. X-Forwarded-Host is not read at all."""
    if exchange.method not in _METHODS:
        raise PageRefusedError(405, "method")
    if exchange.context.is_draining:
        raise PageRefusedError(503, "unavailable", 1)
    if exchange.raw_path != HEALTH and not exchange.context.url.is_named_by(exchange.headers.get("host")):
        raise PageRefusedError(_MISDIRECTED, "missing")
    return None


async def check_origin(exchange: PageExchange) -> Answer | None:
    """Refuses a form of another site, signed in or not, so that nobody is signed in or out against their will."""
    is_program = exchange.chosen.access is Access.PROGRAM
    if exchange.is_change and not is_program and not is_own_form(exchange.headers, exchange.context.url):
        raise PageRefusedError(403, "cross_site")
    return None


async def read_query(exchange: PageExchange) -> Answer | None:
    exchange.query = parse_query(exchange.raw_query)
    return None


async def find_viewer(exchange: PageExchange) -> Answer | None:
    """Looks up the session of the cookie. A session that waits for its second factor makes nobody a viewer."""
    if exchange.chosen.access is Access.PROGRAM:
        return None
    exchange.cookie = read_cookie(exchange.headers.get("cookie"))
    if exchange.cookie.token:
        context = exchange.context
        exchange.session = await sessions.find(
            context.storage, exchange.cookie.token, context.settings.portal, exchange.now_us
        )
    if exchange.session is not None and not exchange.session.is_pending:
        exchange.viewer = await _viewer(exchange, exchange.session)
    return None


async def _viewer(exchange: PageExchange, session: Session) -> Viewer | None:
    seen = await account_view.load(exchange.context.storage, session, exchange.cookie.organisation)
    if seen is None:
        return None
    return Viewer(seen.account, session, seen.memberships, seen.membership, seen.organisation, seen.organisation_name)


async def check_access(exchange: PageExchange) -> Answer | None:
    access, viewer = exchange.chosen.access, exchange.viewer
    if access in (Access.PUBLIC, Access.PROGRAM):
        return None
    if viewer is None:
        if access.is_for_operators and exchange.session is None and exchange.is_change:
            raise missing()
        page = SECOND_FACTOR if exchange.session is not None else SIGN_IN
        return SeeOther(with_return(page, _this_page(exchange)))
    if access.is_for_operators and not permissions_of(viewer.account, exchange.context.settings.roles.table):
        raise missing()
    if _lacks_factor(exchange, viewer):
        return SeeOther(FACTORS, "flash.factor_needed")
    if access.needs_recent_proof and not is_recent(viewer.session, exchange.now_us):
        return to_confirm(_this_page(exchange))
    return None


def _lacks_factor(exchange: PageExchange, viewer: Viewer) -> bool:
    """Returns whether a role of the person needs a second factor that the session did not prove.

    Such a person opens the pages of the own account, and adds one there. What the session knows decides, so that no
    page reads more of the database for it.
    """
    roles = exchange.context.settings.portal.second_factor_roles
    if not roles or viewer.session.second_factor or exchange.raw_path.startswith(_WITHOUT_FACTOR):
        return False
    return needs_factor(viewer.account, viewer.memberships, roles)


def to_confirm(path: str) -> SeeOther:
    """Returns the way to the page that asks for the proof again, and back to `path`."""
    return SeeOther(with_return(CONFIRM, path))


async def read_body(exchange: PageExchange) -> Answer | None:
    """Reads the body last, so that nobody makes the portal read for a page that they may not open."""
    if not exchange.is_change:
        return None
    is_program = exchange.chosen.access is Access.PROGRAM
    most_bytes = PROGRAM_BYTES if is_program else FORM_BYTES
    exchange.body = await request_body.read(exchange.request, most_bytes, exchange.context.body_timeout_s)
    if not is_program:
        exchange.form = parse_form(exchange.body, exchange.headers.get("content-type", ""))
    return None


async def find_origin(exchange: PageExchange) -> Answer | None:
    """Reads what the audit keeps of where the request came from. A page that only shows something writes nothing."""
    chosen = exchange.chosen
    if OPERATIONS[chosen.operation].changes or chosen.access.is_for_operators:
        agent = await agent_of(exchange.headers.get("user-agent", ""))
        exchange.origin = CallOrigin(checked_address(exchange.address), agent, tls_of(exchange.request))
    return None


async def run_handler(exchange: PageExchange) -> Answer | None:
    return await exchange.chosen.handler(exchange.page_request())


def _this_page(exchange: PageExchange) -> str:
    """Returns where to come back to. What a form had is lost, so it is the page of the form."""
    if exchange.is_change:
        return exchange.form_path
    return exchange.raw_path + (f"?{exchange.raw_query}" if exchange.raw_query else "")
