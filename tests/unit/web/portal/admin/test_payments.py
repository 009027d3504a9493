import re
from dataclasses import replace

import pytest
from support.operators_pages import ADMIN, AUDITOR, BILLING
from support.operators_side import OperatorsSide

from softix_proxy.domain.ledger.refunds import RefundState

PATH = "/admin/payments/refunds/rfd_open"


async def state(side: OperatorsSide) -> RefundState:
    found = await side.storage.reading().payments.refunds.find("rfd_open")
    assert found is not None
    return found.state


async def test_payments_page_lists_payments_and_refunds_that_wait(side: OperatorsSide) -> None:
    for query in ({}, {"user": "usr_ada"}):
        text = (await side.ask(AUDITOR, "GET", "/admin/payments", **query)).text
        assert "pay_open" in text and "$25.00" in text and "$5.00" in text and "Approve" not in text
    assert "Approve" in (await side.ask(BILLING, "GET", "/admin/payments")).text


async def test_amounts_of_a_payment_are_asked_paid_gone_back_and_credit(side: OperatorsSide) -> None:
    async with side.storage.writing() as unit:
        found = await unit.payments.find("pay_open")
        assert found is not None
        await unit.payments.update(
            replace(found, paid_cents=2975, refunded_cents=100, disputed_cents=20, credit_pico=3 * 10**12)
        )
    rows = (await side.ask(AUDITOR, "GET", "/admin/payments")).text.split("<tr>")
    waits, listed = [
        re.findall(r'class="amount">(?:<[^>]+>)*(\$[0-9.]+)', row) for row in rows if "<code>pay_open</code>" in row
    ]
    assert waits == ["$5.00"] and listed == ["$25.00", "$29.75", "$1.20", "$3.00"]


@pytest.mark.parametrize(("decision", "after"), [("approve", RefundState.APPROVED), ("refuse", RefundState.REFUSED)])
async def test_refund_is_answered_once_and_written_into_the_audit(
    side: OperatorsSide, decision: str, after: RefundState
) -> None:
    assert (await side.ask(BILLING, "POST", PATH, {"decision": decision})).status == 303
    assert await state(side) is after
    assert (await side.ask(BILLING, "POST", PATH, {"decision": "refuse"})).status == 409
    assert [entry.action for entry in await side.storage.reading().audit.page(None, 9)] == [
        f"payments.{decision}-refund"
    ]


async def test_refund_while_the_provider_is_down_is_not_refused(side: OperatorsSide) -> None:
    assert side.payments is not None
    side.payments.gateway.is_down = True
    seen = await side.ask(BILLING, "POST", PATH, {"decision": "refuse"})
    assert seen.status == 502 and "Try again in a moment" in seen.text
    assert await state(side) is RefundState.REQUESTED and await side.storage.reading().audit.page(None, 9) == []


async def test_refund_without_a_decision_or_without_payments_changes_nothing(side: OperatorsSide) -> None:
    assert (await side.ask(ADMIN, "POST", PATH, {"decision": "keep"})).status == 400
    side.payments = None
    assert (await side.ask(ADMIN, "POST", PATH, {"decision": "refuse"})).status == 404
    assert "Approve" not in (await side.ask(BILLING, "GET", "/admin/payments")).text
    assert await state(side) is RefundState.REQUESTED
