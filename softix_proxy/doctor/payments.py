"""Checks whether payments are set up, and whether a refund waits for an answer. It asks nobody but the portal here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib.util import find_spec

from softix_proxy.doctor import portal
from softix_proxy.doctor.check_context import CheckContext
from softix_proxy.doctor.findings import Observation, error, ok, warning
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.operations.ledger import payment_setup
from softix_proxy.operations.ledger.payment_setup import PaymentStatus

_SET_UP = "softix payments setup"


async def find(context: CheckContext) -> AsyncIterator[Observation]:
    settings = context.settings
    if not settings.payments.enabled:
        yield ok("payments are off")
        return
    if find_spec("stripe") is None:
        yield error("the SDK of Stripe is not installed", "pip install 'softix-proxy[stripe]'")
    if not settings.portal.enabled and not await portal.answers_here(context):
        yield warning(
            f"payments are on, and no portal answers at {portal.local_address(context)}, so nothing is swept",
            "run: softix portal; or set portal.enabled, and restart softix serve",
        )
    try:
        found = await payment_setup.status(
            context.storage, await context.vault(), enabled=True, api_base=settings.payments.api_base
        )
    except FailureError as failure:
        yield error(failure.message, failure.remedy)
        return
    for observation in _observations(found):
        yield observation


def _observations(found: PaymentStatus) -> list[Observation]:
    if found.key == "missing":
        return [error("payments are on, but there is no key of Stripe", _SET_UP)]
    seen = [
        ok("payments work in live mode")
        if found.key == "live"
        else warning("payments are in test mode: no money moves", f"{_SET_UP}, with a key that begins with sk_live_")
    ]
    if not found.webhook:
        seen.append(warning("Stripe has no webhook, so payments are credited late", _SET_UP))
    if found.open_refunds:
        seen.append(warning(f"refunds that wait: {found.open_refunds}", "softix payments refunds"))
    return seen
