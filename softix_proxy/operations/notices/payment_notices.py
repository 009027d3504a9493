"""Tells people and endpoints about payments, and operators about what no program can decide."""

from __future__ import annotations

from collections.abc import Mapping

from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.access.roles import ADMIN, BILLING, OWNER_OPERATOR
from softix_proxy.domain.core.money import format_cents
from softix_proxy.domain.ledger.auto_top_ups import AutoTopUp
from softix_proxy.domain.ledger.payments import OnlinePayment, PaymentPosting, PostingCause
from softix_proxy.domain.notices.outbox import Notice, NoticeKind
from softix_proxy.domain.notices.webhook_events import EventKind
from softix_proxy.domain.ports.storage import Unit
from softix_proxy.operations.core.shown_names import name_of
from softix_proxy.operations.notices import facts, recipients, webhook_events
from softix_proxy.operations.notices.outbox import enqueue

_TEST_MODE = " (test mode)"
_TOLD_ROLES = (OWNER_OPERATOR, ADMIN, BILLING)
_EVENTS = {
    NoticeKind.RECEIPT: EventKind.PAYMENT_RECEIVED,
    NoticeKind.REFUNDED: EventKind.PAYMENT_REFUNDED,
    NoticeKind.DISPUTED: EventKind.PAYMENT_DISPUTED,
    NoticeKind.PAYMENT_FAILED: EventKind.PAYMENT_FAILED,
    NoticeKind.AUTO_TOP_UP_PAUSED: EventKind.AUTO_TOP_UP_PAUSED,
}


async def posted(unit: Unit, payment: OnlinePayment, posting: PaymentPosting, number: str) -> None:
    """Tells about a payment, a refund or a dispute that was posted. `number` is that of its document, if it has one."""
    kind = {
        PostingCause.PAYMENT: NoticeKind.RECEIPT,
        PostingCause.REFUND: NoticeKind.REFUNDED,
        PostingCause.DISPUTE: NoticeKind.DISPUTED,
    }.get(posting.cause)
    back = posting.amount_pico < 0
    if kind is None or back is (kind is NoticeKind.RECEIPT):
        return  # what came back is in the history, and nothing that a person has to do follows from it
    values = await _values(unit, payment, abs(posting.gross_cents), posting.transfer_id)
    await _tell(unit, payment, kind, {**values, "number": number or payment.public_id}, str(posting.transfer_id))
    data = {"amount_usd": format_cents(abs(posting.gross_cents)), **({"document": number} if number else {})}
    await _enqueue(unit, payment, kind, data, str(posting.transfer_id))
    if kind is NoticeKind.DISPUTED:
        text = f"A bank disputes {payment.public_id}. Answer in Stripe's dashboard before its deadline."
        await _alert(unit, text, f"dispute:{posting.transfer_id}")


async def failed(unit: Unit, payment: OnlinePayment) -> None:
    values = await _values(unit, payment, payment.asked_total_cents, payment.changed_at_us)
    await _tell(unit, payment, NoticeKind.PAYMENT_FAILED, values, "failed")
    data = {"amount_usd": format_cents(payment.asked_total_cents)}
    await _enqueue(unit, payment, NoticeKind.PAYMENT_FAILED, data, "failed")


async def paused(unit: Unit, payment: OnlinePayment, auto_top_up: AutoTopUp) -> None:
    """Tells once for each pause that automatic top-ups stopped, and why. A person has to start them again."""
    values = await _values(unit, payment, payment.asked_total_cents, payment.changed_at_us)
    failed_often, went_back = f"{auto_top_up.failures} payments failed", f"money of {payment.public_id} went back"
    reason = failed_often if auto_top_up.failed_too_often else went_back
    once = f"paused:{auto_top_up.paused_at_us}"
    await _tell(unit, payment, NoticeKind.AUTO_TOP_UP_PAUSED, {**values, "reason": reason}, once)
    data = {"amount_usd": format_cents(payment.asked_total_cents), "reason": reason}
    await _enqueue(unit, payment, NoticeKind.AUTO_TOP_UP_PAUSED, data, once)


async def foreign_currency(unit: Unit, payment: OnlinePayment) -> None:
    """Tells operators that a payment gave no credit, because it is not in US dollars."""
    text = f"{payment.public_id} was paid in another currency than US dollars. It gave no credit: refund it at Stripe."
    await _alert(unit, text, f"currency:{payment.public_id}")


async def _values(unit: Unit, payment: OnlinePayment, cents: int, at_us: int) -> dict[str, str]:
    mode = "" if payment.is_live else _TEST_MODE
    return {
        "organisation": await name_of(unit, payment.user_id),
        "amount": f"${format_cents(cents)}{mode}",
        "when": facts.when(at_us),
    }


async def _tell(unit: Unit, payment: OnlinePayment, kind: NoticeKind, values: Mapping[str, str], cause: str) -> None:
    await recipients.tell(
        unit,
        payment.user_id,
        Permission.PAYMENTS_READ,
        kind,
        values,
        lambda account: f"{kind.value}:{payment.public_id}:{cause}:{account.public_id}",
    )


async def _enqueue(unit: Unit, payment: OnlinePayment, kind: NoticeKind, data: Mapping[str, str], cause: str) -> None:
    told = {"payment": payment.public_id, "live": payment.is_live, **data}
    once = f"{payment.public_id}:{cause}"
    await webhook_events.enqueue(unit, _EVENTS[kind], told, user_id=payment.user_id, once=once)


async def _alert(unit: Unit, text: str, cause: str) -> None:
    """Tells every operator who may move money."""
    for account in await unit.accounts.list():
        if account.role in _TOLD_ROLES and account.can_sign_in:
            once = f"alert:{cause}:{account.public_id}"
            notice = Notice(NoticeKind.OPERATOR_ALERT, account.email, {"text": text}, account_id=account.id, once=once)
            await enqueue(unit, None, notice)
