"""Tells endpoints that an invoice was paid. softix knows it from a payment that names the invoice as its reference."""

from __future__ import annotations

from softix_proxy.domain.core.money import PICO_PER_USD, format_usd
from softix_proxy.domain.notices.webhook_events import EventKind
from softix_proxy.domain.ports.storage import Unit
from softix_proxy.operations.notices import webhook_events

_INVOICE = "invoice"


async def tell(unit: Unit, user_id: int, reference: str | None, amount_pico: int) -> int:
    """Adds the event in the transaction that posts the payment. Returns how many deliveries.

    It must be an invoice of this user, and its net amount must be covered: what a customer owes is booked without tax.
    """
    if reference is None or not await unit.webhooks.is_heard(EventKind.INVOICE_PAID, user_id):
        return 0
    found = await unit.bill.find(reference)
    if found is None or found.user_id != user_id or found.document.kind.value != _INVOICE:
        return 0
    if amount_pico < found.document.totals.net * PICO_PER_USD:
        return 0
    data = {"document": reference, "amount_usd": format_usd(amount_pico)}
    return await webhook_events.enqueue(unit, EventKind.INVOICE_PAID, data, user_id=user_id, once=reference)
