"""Checks whether payments are set up, and whether a refund waits for an answer. It asks nobody but the portal here."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from importlib.util import find_spec

from softix_proxy.doctor import portal
from softix_proxy.doctor.check_context import CheckContext
from softix_proxy.doctor.findings import Observation, error, ok, warning
from softix_proxy.domain.core.calendar import calendar
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.operations.billing import payment_documents
from softix_proxy.operations.ledger import payment_setup
from softix_proxy.operations.ledger.payment_setup import PaymentStatus

_SET_UP = "softix payments setup"


async def find(context: CheckContext) -> AsyncIterator[Observation]:
    """Looks whether payments are set up, swept and documented."""
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
    for observation in (*_observations(found), *await _documents(context)):
        yield observation


async def _documents(context: CheckContext) -> list[Observation]:
    """Counts the payments without a document, by what has to be done about them."""
    billing, reading = context.settings.billing, context.storage.reading()
    at, closed = calendar(billing.zone), await reading.periods.list()
    this_month = f"{at.date(context.clock.now_us()):%Y-%m}"
    counts: Counter[Observation] = Counter()
    for one in await payment_documents.missing(context.storage, billing):
        month = f"{at.date(one.posted_us):%Y-%m}"
        period = next((each.label for each in closed if each.span.from_us <= one.posted_us < each.span.to_us), None)
        if one.problem is not None:
            counts[warning(one.problem.message, one.problem.remedy)] += 1
        elif period is not None:
            counts[warning(f"{period} was not billed since", f"softix bill run --period {period}")] += 1
        elif month != this_month:
            counts[
                warning(
                    f"{month} is not closed", f"softix period close {month}, then: softix bill run --period {month}"
                )
            ] += 1
        else:
            counts[ok(f"they come with the billing run of {month}")] += 1
    return [
        found._replace(message=f"payments without a document: {count}; {found.message}")
        for found, count in counts.items()
    ]


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
