"""Checks whether people can reach the portal, and whether it can tell them apart."""

from __future__ import annotations

from collections.abc import AsyncIterator

from softix_proxy.doctor.check_context import CheckContext
from softix_proxy.doctor.findings import Observation, ok, warning
from softix_proxy.domain.accounts.public_url import parse_public_url
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.core.loopback import is_loopback
from softix_proxy.domain.instance.sections import local_url


async def find(context: CheckContext) -> AsyncIterator[Observation]:
    """Compares the portal's settings with each other, and asks it at its own address."""
    portal, server = context.settings.portal, context.settings.server
    if portal.public_url is None:
        yield ok("there is no portal: portal.public_url is not set")
        return
    url = parse_public_url(portal.public_url)
    if url.is_https and not server.trusted_proxies and server.tls_cert is None:
        yield warning(
            "all people seem to come from the proxy in front of the portal, so that one who guesses slows down all",
            "set server.trusted_proxies to the proxy's network, such as 127.0.0.0/8 for one on this machine",
        )
    if not is_loopback(portal.host) and server.tls_cert is None:
        yield warning(
            f"the portal listens at {portal.host} without TLS, so that passwords pass in clear text to it",
            "set portal.host to 127.0.0.1, and put a proxy with a certificate in front (docs/portal.md)",
        )
    local = local_address(context)
    answers = await answers_here(context)
    if answers is None:
        yield ok(f"the portal does not run at {local}")
    elif answers:
        yield ok(f"the portal answers at {local}, and people reach it at {url.origin}")
    else:
        yield warning(f"another program answers at {local}", "give the portal another port (portal.port)")


def local_address(context: CheckContext) -> str:
    """Returns where the portal listens, as this machine reaches it."""
    portal, server = context.settings.portal, context.settings.server
    return local_url(portal.host, portal.port, has_tls=server.tls_cert is not None)


async def answers_here(context: CheckContext) -> bool | None:
    """Asks the portal at its own address, whichever process serves it.

    Returns None if nobody answers, and False if another program does.
    """
    try:
        answer = await context.daemon(f"{local_address(context)}/healthz", {}, None)
    except FailureError:
        return None
    return answer.body == b'{"status":"ok"}'
