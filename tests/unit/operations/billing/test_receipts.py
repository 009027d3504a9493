"""The documents of payments by Stripe: what was charged stands on them to the cent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from support.paying import SELLER, Paying, paying

from softix_proxy.domain.billing.bill import DocumentKind, StoredDocument
from softix_proxy.domain.billing.seller import Billing
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.ledger.ledger import CASH, Transfer
from softix_proxy.operations.billing import bill, bill_run
from softix_proxy.operations.billing.payment_documents import PaymentDocuments
from softix_proxy.operations.ledger import balance, redating, refunds


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Paying]:
    async with paying(tmp_path) as made:
        yield made


async def documents(lab: Paying) -> list[StoredDocument]:
    return list(await bill.list_all(lab.storage, user="usr_ada"))


async def test_payment_has_its_receipt_at_once(lab: Paying) -> None:
    payment = await lab.paid(2500)
    [receipt] = await documents(lab)
    document = receipt.document
    assert (document.kind, document.number) == (DocumentKind.RECEIPT, "RCT-2027-00001")
    assert (document.totals.gross, document.totals.paid, document.totals.due) == (
        Decimal("25.00"), Decimal("25.00"), Decimal("0.00"),
    )  # fmt: skip
    assert document.tax is None and payment.public_id in document.payment
    assert document.notes == ("Test mode: no money moved.",)


async def test_receipt_states_the_tax_that_stripe_charged(lab: Paying) -> None:
    await bill.set_customer(lab.storage, Billing(), "usr_ada", country="DE")
    await lab.with_settings(tax="stripe").paid(2500)
    [receipt] = await documents(lab)
    totals, tax = receipt.document.totals, receipt.document.tax
    assert (totals.net, totals.tax, totals.gross) == (Decimal("25.00"), Decimal("4.75"), Decimal("29.75"))
    assert tax is not None and (tax.category.value, tax.rate, tax.amount) == ("S", Decimal(19), Decimal("4.75"))


async def test_refund_of_a_payment_without_a_receipt_has_no_credit_note(lab: Paying) -> None:
    nobody = Billing()  # without the name of a seller there is no receipt
    silent = replace(lab, context=replace(lab.context, billing=nobody, follow_up=PaymentDocuments(nobody)))
    payment = await silent.paid(2500)
    assert await documents(lab) == [] and payment.intent_id is not None
    lab.fake.send_back(payment.intent_id, 1000)
    await lab.told()
    assert await documents(lab) == [] and await lab.credit_cents() == 1500


async def test_refund_has_a_credit_note_about_the_receipt_once_it_is_made(lab: Paying) -> None:
    payment = await lab.paid(2500)
    request = await refunds.request(lab.context, payment.public_id, net_cents=1000)
    assert len(await documents(lab)) == 1  # what is only held has no document
    await refunds.approve(lab.context, request.public_id)
    receipt, note = await documents(lab)
    assert (note.document.kind, note.document.number, note.about_id) == (
        DocumentKind.CREDIT_NOTE, "CRN-2027-00001", receipt.id,
    )  # fmt: skip
    assert note.document.about[0].number == receipt.document.number
    assert (note.document.totals.gross, note.document.totals.due) == (Decimal("10.00"), Decimal("0.00"))
    assert note.document.lines[0].net == Decimal("10.00")


async def test_documents_of_a_dispute_and_its_end_add_up_to_what_the_payment_gives(lab: Paying) -> None:
    payment = await lab.paid(2500)
    assert payment.intent_id is not None
    dispute = lab.fake.dispute(payment.intent_id)
    await lab.told()
    lab.fake.close_dispute(dispute["id"], won=True)
    await lab.told()
    kinds = [one.document.kind for one in await documents(lab)]
    assert kinds == [DocumentKind.RECEIPT, DocumentKind.CREDIT_NOTE, DocumentKind.RECEIPT]


async def test_payment_counts_without_its_receipt_and_the_billing_run_issues_it_later(tmp_path: Path) -> None:
    async with paying(tmp_path, billing=Billing()) as lab:
        payment = await lab.paid(2500)
        request = await refunds.request(lab.context, payment.public_id, net_cents=1000, approved=True)
        assert await lab.credit_cents() == 1500 and await documents(lab) == [] and request.refund_id
        lab.clock.us += 40 * 86_400 * 10**6
        results = [
            one async for one in bill_run.run(lab.storage, SELLER, "2027-01", user="usr_ada", open_=True, dry=False)
        ]
        issued = [one.document for one in results if one.document is not None]
        assert [one.kind for one in issued] == [
            DocumentKind.RECEIPT, DocumentKind.CREDIT_NOTE, DocumentKind.STATEMENT,
        ]  # fmt: skip
        again = [
            one.state
            async for one in bill_run.run(lab.storage, SELLER, "2027-01", user="usr_ada", open_=True, dry=False)
        ]
        assert again == ["kept"]


async def test_billing_run_issues_no_second_receipt_and_states_what_was_paid(lab: Paying) -> None:
    payment = await lab.paid(2500)
    await refunds.request(lab.context, payment.public_id, net_cents=1000, approved=True)
    await balance.add(lab.storage, "usr_ada", 5 * 10**12, reference="bank-1")
    lab.clock.us += 40 * 86_400 * 10**6
    results = [one async for one in bill_run.run(lab.storage, SELLER, "2027-01", user=None, open_=True, dry=False)]
    kinds = [one.document.kind for one in results if one.document is not None]
    assert kinds == [DocumentKind.RECEIPT, DocumentKind.STATEMENT]  # the receipt is that of the bank's payment
    [statement] = [one.document for one in results if one.document and one.document.kind is DocumentKind.STATEMENT]
    assert statement.account is not None and statement.account.paid_in == Decimal("20.00")


async def test_receipt_by_own_rates_has_the_configured_tax(tmp_path: Path) -> None:
    taxed = replace(SELLER, tax_category="S", tax_rate="7.7")
    async with paying(tmp_path, billing=taxed, tax="softix") as lab:
        await bill.set_customer(lab.storage, Billing(), "usr_ada", country="CH")
        await lab.paid(2500)
        [receipt] = await documents(lab)
        assert receipt.document.tax is not None and receipt.document.tax.rate == Decimal("7.7")
        assert receipt.document.totals.tax == Decimal("1.93")  # 1.925, and half a cent is rounded up


async def redated_by_a_year(lab: Paying) -> None:
    """Sets the clock right, which was a year ahead, and repairs the books."""
    lab.clock.us -= 365 * DAY_US
    moved = [one async for one in redating.run(lab.storage, None, 365 * DAY_US, note="clock", dry=False)]
    assert moved
    lab.clock.us += 2 * 365 * DAY_US


async def billed(lab: Paying, *months: str) -> list[tuple[DocumentKind, Decimal]]:
    """What the billing runs of these months issue, without statements."""
    return [
        (one.document.kind, one.document.totals.gross)
        for month in months
        async for one in bill_run.run(lab.storage, SELLER, month, user=None, open_=True, dry=False)
        if one.document is not None and one.state == "issued" and one.document.kind is not DocumentKind.STATEMENT
    ]


async def test_redated_payment_and_refund_by_stripe_get_no_further_documents(lab: Paying) -> None:
    lab.clock.us += 365 * DAY_US
    payment = await lab.paid(2500)
    await refunds.request(lab.context, payment.public_id, net_cents=1000, approved=True)
    before = await documents(lab)
    assert [one.document.kind for one in before] == [DocumentKind.RECEIPT, DocumentKind.CREDIT_NOTE]
    await redated_by_a_year(lab)
    assert await billed(lab, "2027-01", "2028-01") == []


async def test_redated_payment_by_stripe_without_a_receipt_gets_one(tmp_path: Path) -> None:
    async with paying(tmp_path, billing=Billing()) as lab:
        lab.clock.us += 365 * DAY_US
        await lab.paid(2500)
        await redated_by_a_year(lab)
        assert await billed(lab, "2027-01", "2028-01") == [(DocumentKind.RECEIPT, Decimal("25.00"))]


@pytest.mark.parametrize("is_billed_first", [False, True])
async def test_redated_payment_by_bank_gets_one_receipt(lab: Paying, is_billed_first: bool) -> None:
    lab.clock.us += 365 * DAY_US
    await balance.add(lab.storage, "usr_ada", 5 * 10**12, reference="bank-1")
    if is_billed_first:
        lab.clock.us += 40 * DAY_US
        assert await billed(lab, "2028-01") == [(DocumentKind.RECEIPT, Decimal("5.00"))]
        lab.clock.us -= 40 * DAY_US
    await redated_by_a_year(lab)
    expected = [] if is_billed_first else [(DocumentKind.RECEIPT, Decimal("5.00"))]
    assert await billed(lab, "2027-01", "2028-01") == expected


async def test_redated_money_that_went_back_by_bank_gets_no_receipt(lab: Paying) -> None:
    lab.clock.us += 365 * DAY_US
    async with lab.storage.writing() as unit:
        await unit.ledger.post(Transfer(0, 1, CASH, 5 * 10**12, "top-up", reference="bank-2"))
    await redated_by_a_year(lab)
    assert await billed(lab, "2027-01", "2028-01") == []
