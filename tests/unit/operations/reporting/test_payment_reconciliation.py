from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.paying import Paying, paying

from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.ledger.payments import PostingCause
from softix_proxy.domain.reporting.payment_reconciliation import BalanceReportLine, ComparedPayment
from softix_proxy.operations.reporting.payment_reconciliation import reconcile


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Paying]:
    async with paying(tmp_path) as made:
        yield made


def line(lab: Paying, intent: str, cause: PostingCause | None, cents: int, *, days: int = 0) -> BalanceReportLine:
    return BalanceReportLine(lab.clock.now_us() // DAY_US + days, intent, cause, cents, 30 * 10**10, "x")


async def test_report_that_says_the_same_agrees_and_tells_the_fees(lab: Paying) -> None:
    payment = await lab.paid(2500)
    intent = payment.intent_id or ""
    lab.fake.send_back(intent, 1000)
    await lab.told()
    report = [
        line(lab, intent, PostingCause.PAYMENT, 2500),
        line(lab, intent, PostingCause.REFUND, -1000),
        line(lab, "", None, -1500),
        line(lab, "pi_other", PostingCause.PAYMENT, 900),
    ]
    found = await reconcile(lab.storage, report)
    assert (found.agrees, found.ours_cents, found.theirs_cents) == (True, 1500, 1500)
    assert (found.payments, found.other_lines, found.fees_pico) == (1, 2, 120 * 10**10)


async def test_refund_that_only_one_side_has_is_shown_with_its_payment(lab: Paying) -> None:
    payment, missing = await lab.paid(2500), await lab.paid(700)
    intent = payment.intent_id or ""
    report = [line(lab, intent, PostingCause.PAYMENT, 2500), line(lab, intent, PostingCause.REFUND, -500)]
    found = await reconcile(lab.storage, report)
    assert found.differing == [
        ComparedPayment(payment.public_id, intent, PostingCause.REFUND, 0, -500),
        ComparedPayment(missing.public_id, missing.intent_id or "", PostingCause.PAYMENT, 700, 0),
    ]


async def test_posting_up_to_three_days_later_counts_for_the_end_of_the_report(lab: Paying) -> None:
    session_id = await lab.begin(2500)
    intent = lab.fake.pay(session_id)
    report = [line(lab, intent["id"], PostingCause.PAYMENT, 2500)]
    lab.clock.us += DAY_US
    await lab.told()
    assert (await reconcile(lab.storage, report)).agrees


async def test_report_without_lines_is_refused(lab: Paying) -> None:
    with pytest.raises(BadInputError, match="no lines"):
        await reconcile(lab.storage, [])
