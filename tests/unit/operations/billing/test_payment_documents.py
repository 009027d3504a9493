from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.paying import Paying, paying

from softix_proxy.domain.notices.outbox import NoticeKind


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Paying]:
    async with paying(tmp_path) as made:
        yield made


async def test_payment_is_told_once_with_the_number_of_its_receipt(lab: Paying) -> None:
    payment = await lab.paid(2500)
    await lab.told(*lab.fake.of("event"))
    [notice] = await lab.notices()
    assert (notice.kind, notice.email) == (NoticeKind.RECEIPT, "ada@example.org")
    assert notice.values["number"] == "RCT-2027-00001" and notice.values["organisation"] == "ada"
    assert notice.values["amount"] == "$25.00 (test mode)" and payment.state.value == "paid"


async def test_dispute_is_told_to_the_person_and_to_operators(lab: Paying) -> None:
    payment = await lab.paid(2500)
    assert payment.intent_id is not None
    lab.fake.dispute(payment.intent_id)
    await lab.told()
    kinds = [notice.kind for notice in await lab.notices()]
    assert kinds == [NoticeKind.RECEIPT, NoticeKind.DISPUTED, NoticeKind.OPERATOR_ALERT]


async def test_messages_are_dropped_with_the_transaction_that_fails(lab: Paying) -> None:
    session_id = await lab.begin(2500)
    payment = await lab.payment(session_id)
    lab.fake.pay(session_id)
    from softix_proxy.operations.ledger import payments

    fetch = await payments.begin_fetch(lab.context, payment.id)
    with pytest.raises(RuntimeError):
        async with lab.storage.writing() as unit:
            await payments.take_over(lab.context, unit, fetch)
            raise RuntimeError
    assert await lab.notices() == [] and await lab.storage.reading().bill.list(1) == []
