"""Compares a report of Stripe's balance with the payments in the books, payment by payment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.ledger.payments import OnlinePayment, PostingCause
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.reporting.payment_reconciliation import (
    BalanceReportLine,
    ComparedPayment,
    PaymentReconciliation,
)

_LATE_US = 3 * DAY_US
"""How much later than Stripe softix may post: for so long Stripe sends an event again."""


async def reconcile(storage: Storage, report: Iterable[BalanceReportLine]) -> PaymentReconciliation:
    """Compares the days (UTC) of the report. What was posted up to three days later still counts for its last days.

    Lines about payments of other programs at the same account are counted and not compared. Raises BadInputError for an
    empty report.
    """
    theirs: dict[tuple[str, PostingCause], int] = defaultdict(int)
    days: set[int] = set()
    fees_pico = others = 0
    reading = storage.reading()
    known: dict[str, OnlinePayment | None] = {}
    for line in report:
        days.add(line.day)
        fees_pico += line.fee_pico
        if line.intent_id and line.intent_id not in known:
            known[line.intent_id] = await reading.payments.by_intent(line.intent_id)
        if line.cause is None or not line.intent_id or known[line.intent_id] is None:
            others += 1
        else:
            theirs[line.intent_id, line.cause] += line.gross_cents
    if not days:
        raise BadInputError("the report has no lines", "export it again, with more days")
    first_us, end_us = min(days) * DAY_US, (max(days) + 1) * DAY_US
    ours = await _ours(reading, first_us, end_us + _LATE_US)
    payments = {payment.intent_id or "": payment for payment in known.values() if payment is not None}
    payments |= {intent_id: payment for intent_id, (payment, _) in ours.items()}
    differing, ours_cents = [], 0
    for intent_id, payment in payments.items():
        sums = ours.get(intent_id, (payment, {}))[1]
        for cause in (PostingCause.PAYMENT, PostingCause.REFUND, PostingCause.DISPUTE):
            counted_cents = _counted(sums.get(cause, ()), theirs.get((intent_id, cause), 0), end_us)
            ours_cents += counted_cents
            if counted_cents != theirs.get((intent_id, cause), 0):
                theirs_cents = theirs.get((intent_id, cause), 0)
                differing.append(ComparedPayment(payment.public_id, intent_id, cause, counted_cents, theirs_cents))
    return PaymentReconciliation(
        first_day=min(days),
        end_day=max(days) + 1,
        ours_cents=ours_cents,
        theirs_cents=sum(theirs.values()),
        fees_pico=fees_pico,
        payments=len(payments),
        differing=differing,
        other_lines=others,
    )


_Posted = Sequence[tuple[int, int]]
"""The time of posting and the amount with tax, in order."""


async def _ours(
    unit: Unit, first_us: int, end_us: int
) -> Mapping[str, tuple[OnlinePayment, Mapping[PostingCause, _Posted]]]:
    found: dict[str, tuple[OnlinePayment, dict[PostingCause, list[tuple[int, int]]]]] = {}
    for payment, posting in await unit.payments.posted_between(first_us, end_us):
        if payment.intent_id is not None and posting.cause is not PostingCause.HOLD:
            sums = found.setdefault(payment.intent_id, (payment, defaultdict(list)))[1]
            sums[posting.cause].append((posting.transfer_id, posting.gross_cents))
    return found


def _counted(posted: _Posted, theirs_cents: int, end_us: int) -> int:
    """Returns the sum of the days, with what was posted late if the sum then agrees."""
    sum_cents = sum(cents for at_us, cents in posted if at_us < end_us)
    with_late = sum_cents
    for at_us, cents in posted:
        if at_us >= end_us and with_late != theirs_cents:
            with_late += cents
    return with_late if with_late == theirs_cents else sum_cents
