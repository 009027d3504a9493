from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from support.paying import SELLER, Paying, paying

from softix_proxy.domain.billing.bill import DocumentKind
from softix_proxy.domain.billing.seller import Billing, BuyerUnknownError
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.ledger.payments import PostingCause
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.operations.billing import bill, bill_run, payment_documents
from softix_proxy.operations.billing.payment_documents import MissingDocument


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


async def test_missing_documents_say_why_and_come_when_the_buyer_is_known(lab: Paying) -> None:
    taxed = lab.with_settings(tax="stripe")
    payment = await taxed.paid(2500)
    assert payment.intent_id is not None
    lab.fake.send_back(payment.intent_id, 1190)
    await lab.told()
    [found] = await missing(lab)
    assert found.payment.id == payment.id and isinstance(found.problem, BuyerUnknownError)
    assert await payment_documents.issue_missing(lab.storage, SELLER, lab.user.id) == []
    await bill.set_customer(lab.storage, SELLER, "ada", country="DE")
    assert [one.problem for one in await missing(lab)] == [None] and await missing(lab, user_id=2) == []
    receipt, note = await payment_documents.issue_missing(lab.storage, SELLER, lab.user.id)
    assert (receipt.kind, receipt.buyer.country) == (DocumentKind.RECEIPT, "DE")
    assert (note.kind, note.about[0].number) == (DocumentKind.CREDIT_NOTE, receipt.number)
    assert await missing(lab) == [] == await payment_documents.issue_missing(lab.storage, SELLER, lab.user.id)


async def test_missing_documents_name_what_the_seller_lacks_and_are_none_without_a_seller(lab: Paying) -> None:
    await lab.with_settings(tax="stripe").paid(2500)
    half = replace(SELLER, seller_country=None)
    [found] = await payment_documents.missing(lab.storage, half)
    assert found.problem is not None and found.problem.remedy == "set billing.seller_country"
    assert not isinstance(found.problem, BuyerUnknownError)
    assert await payment_documents.missing(lab.storage, Billing()) == []


async def missing(lab: Paying, user_id: int | None = None) -> list[MissingDocument]:
    return list(await payment_documents.missing(lab.storage, SELLER, user_id))


async def test_posting_that_only_rounds_has_no_document_and_no_message(lab: Paying) -> None:
    """29.75 with 4.75 of tax: of 10.00 that were disputed, 8.40 are credit, and after a refund of 6.05 it is 8.41."""
    await bill.set_customer(lab.storage, SELLER, "usr_ada", country="DE")
    payment = await lab.with_settings(tax="stripe").paid(2500)
    assert payment.intent_id is not None
    lab.fake.dispute(payment.intent_id, 1000)
    await lab.told()
    lab.fake.send_back(payment.intent_id, 605)
    await lab.told()
    posted = [
        (one.cause, one.amount_pico // 10**10, one.gross_cents)
        for one in await lab.storage.reading().payments.posted(payment.id)
    ]
    assert posted[1:] == [
        (PostingCause.DISPUTE, -840, -1000), (PostingCause.REFUND, -508, -605), (PostingCause.DISPUTE, -1, 0),
    ]  # fmt: skip
    kinds = [notice.kind for notice in await lab.notices()]
    assert kinds == [NoticeKind.RECEIPT, NoticeKind.DISPUTED, NoticeKind.OPERATOR_ALERT, NoticeKind.REFUNDED]
    lab.clock.us += 40 * DAY_US
    async for _ in bill_run.run(lab.storage, SELLER, "2027-01", user=None, open_=True, dry=False):
        pass
    issued = [one.document for one in await bill.list_all(lab.storage, user="usr_ada")]
    notes = [one.totals.gross for one in issued if one.kind is DocumentKind.CREDIT_NOTE]
    assert notes == [Decimal("10.00"), Decimal("6.05")]
