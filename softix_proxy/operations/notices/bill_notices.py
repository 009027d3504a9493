"""Tells the people who may see the bills of an organisation, and endpoints, of a new invoice or receipt."""

from __future__ import annotations

from collections.abc import Mapping

from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.billing.bill import Document, DocumentKind
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.domain.notices.webhook_events import EventKind
from softix_proxy.domain.ports.storage import Unit
from softix_proxy.operations.notices import recipients, webhook_events

_KINDS: Mapping[DocumentKind, NoticeKind] = {
    DocumentKind.INVOICE: NoticeKind.INVOICE,
    DocumentKind.RECEIPT: NoticeKind.RECEIPT,
}

_EVENTS = {NoticeKind.INVOICE: EventKind.INVOICE_ISSUED, NoticeKind.RECEIPT: EventKind.RECEIPT_ISSUED}


async def tell(unit: Unit, user_id: int, document: Document) -> int:
    """Adds the messages in the transaction that issues the document. Returns how many.

    A second call for the same document adds none. Statements and credit notes are not told.
    """
    kind = _KINDS.get(document.kind)
    if kind is None:
        return 0
    values = {
        "organisation": document.buyer.name,
        "number": document.number,
        "amount": f"${document.totals.gross}",
        "when": document.issued_on.isoformat(),
    }
    if document.due_on is not None:
        values["due"] = document.due_on.isoformat()
    await webhook_events.enqueue(
        unit, _EVENTS[kind], webhook_events.of_document(document), user_id=user_id, once=document.number
    )
    return await recipients.tell(
        unit, user_id, Permission.PAYMENTS_READ, kind, values, lambda account: f"bill:{document.number}:{account.id}"
    )
