from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.billing import DECEMBER_US, NOVEMBER_US, OCTOBER_US, SELLER, Ledger

from softix_proxy.domain.billing.bill import Document, DocumentKind
from softix_proxy.domain.billing.seller import Billing
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.errors import BadInputError, ConflictError, NotFoundError
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.domain.core.money import format_usd
from softix_proxy.domain.metering.settlement import Settlement
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.operations.billing import bill as bills
from softix_proxy.operations.billing import bill_run
from softix_proxy.operations.billing.bill_run import BillRunResult
from softix_proxy.operations.ledger import balance
from softix_proxy.operations.ledger.corrections import Corrections
from softix_proxy.storage.sqlite.unit import SqliteStorage

SEPTEMBER_US = OCTOBER_US - 30 * DAY_US


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path)


@pytest.fixture
async def storage(ledger: Ledger) -> AsyncIterator[SqliteStorage]:
    await ledger.database.open()
    made = SqliteStorage(ledger.database)
    await known_customer(made)
    ledger.clock.us = DECEMBER_US
    yield made
    await ledger.database.close()


async def known_customer(storage: SqliteStorage) -> None:
    for user, country in (("ada", "DE"), ("bob", "FR")):
        await bills.set_customer(
            storage, Billing(), user, name=f"{user.title()} Ltd", country=country, city="X", vat_id=f"{country}123"
        )


async def run(
    storage: SqliteStorage, period: str = "2026-10", billing: Billing = SELLER, **options: Any
) -> list[BillRunResult]:
    wanted = {"user": None, "open_": True, "dry": False, **options}
    return [outcome async for outcome in bill_run.run(storage, billing, period, **wanted)]


async def issued(storage: SqliteStorage, period: str = "2026-10", **options: Any) -> list[Document]:
    return [one.document for one in await run(storage, period, **options) if one.document and one.state == "issued"]


async def correct(storage: SqliteStorage, settled: Settlement, charge_pico: int, note: str = "agreed") -> None:
    await Corrections(storage, note).set_charge(format_request_id(settled.intent.request_id), charge_pico)


def exact(documents: Sequence[Document]) -> Decimal:
    """What they say of the ledger together."""
    return sum((one.ledger.charged for one in documents if one.ledger), Decimal(0))


async def test_bill_run_for_a_postpaid_user_issues_an_invoice(ledger: Ledger, storage: SqliteStorage) -> None:
    ledger.post([ledger.request({"input_tokens": 4_000_000, "output_tokens": 7}) for _ in range(3)], OCTOBER_US)
    [invoice] = await issued(storage)
    assert (invoice.kind, invoice.number, invoice.period) == (DocumentKind.INVOICE, "INV-2026-00001", "2026-10")
    assert (invoice.first_day, invoice.last_day) == (date(2026, 10, 1), date(2026, 10, 31))
    assert (invoice.issued_on, invoice.due_on) == (date(2026, 12, 1), date(2026, 12, 31))
    assert (invoice.seller.name, invoice.buyer.name, invoice.payment) == ("Example GmbH", "Ada Ltd", SELLER.iban)
    assert [(line.description, line.quantity, line.net) for line in invoice.lines] == [
        ("lab/llama: input tokens", 12_000_000, Decimal("32.25")),
        ("lab/llama: output tokens", 21, Decimal("0.00")),
    ]
    assert (invoice.totals.net, invoice.totals.tax, invoice.totals.due) == tuple(
        map(Decimal, ("32.25", "6.13", "38.38"))
    )
    assert exact([invoice]) == Decimal(format_usd(ledger.charged_pico(1, OCTOBER_US, NOVEMBER_US)))


async def test_bill_run_for_a_prepaid_user_issues_a_receipt_and_a_statement(
    ledger: Ledger, storage: SqliteStorage
) -> None:
    ledger.post([ledger.request({"input_tokens": 400_000}, user=2)], OCTOBER_US + 5)
    ledger.clock.us = OCTOBER_US + DAY_US
    await balance.add(storage, "bob@example.org", 20 * 10**12, reference="pay-9", note="thanks")
    await balance.set_to(storage, "bob@example.org", 28 * 10**12)
    ledger.clock.us = NOVEMBER_US + 7
    await balance.add(storage, "bob@example.org", 10**12)
    ledger.post([ledger.request({"input_tokens": 400_000}, user=2)], NOVEMBER_US + 9)
    ledger.clock.us = DECEMBER_US
    receipt, statement = await issued(storage)
    assert (receipt.kind, receipt.number, receipt.ledger) == (DocumentKind.RECEIPT, "RCT-2026-00001", None)
    assert (receipt.totals.net, receipt.totals.tax, receipt.totals.paid, receipt.totals.due) == tuple(
        map(Decimal, ("20.00", "3.80", "23.80", "0.00"))
    )
    assert receipt.payment == "Paid on 2026-10-02, reference pay-9" and receipt.notes == ("thanks",)
    assert (statement.kind, statement.tax, statement.totals.due) == (DocumentKind.STATEMENT, None, 0)
    account = statement.account
    assert account is not None
    assert (account.opening, account.paid_in, account.adjusted, account.used, account.closing) == tuple(
        map(Decimal, ("10.00", "20.00", "-0.925", "1.075", "28.00"))
    )


async def test_bill_run_with_a_payment_for_invoices_issues_a_receipt_without_tax(
    ledger: Ledger, storage: SqliteStorage
) -> None:
    ledger.clock.us = OCTOBER_US
    await balance.add(storage, "ada@example.org", 20 * 10**12)
    ledger.clock.us = DECEMBER_US
    [receipt] = await issued(storage)
    assert (receipt.kind, receipt.tax, receipt.totals.gross) == (DocumentKind.RECEIPT, None, Decimal("20.00"))


async def test_bill_run_a_second_time_keeps_the_documents(ledger: Ledger, storage: SqliteStorage) -> None:
    ledger.post([ledger.request({"input_tokens": 10**6}), ledger.request({"input_tokens": 9}, user=2)], OCTOBER_US)
    planned = await run(storage, dry=True)
    assert [one.state for one in planned] == ["planned"] * 2 and await bills.list_all(storage) == []
    first = await run(storage)
    assert [replace(one.document, number="") for one in first if one.document] == [one.document for one in planned]
    again = await run(storage)
    assert [one.state for one in again] == ["kept"] * 2
    assert [one.document for one in again] == [one.document for one in first]
    assert len(await bills.list_all(storage)) == 2


async def test_bill_run_for_one_user_issues_only_their_documents(ledger: Ledger, storage: SqliteStorage) -> None:
    ledger.post([ledger.request({"input_tokens": 10**6}), ledger.request({"input_tokens": 9}, user=2)], OCTOBER_US)
    assert [one.user.name for one in await run(storage, user="bob")] == ["bob"]
    assert [one.state for one in await run(storage)] == ["issued", "kept"]
    with pytest.raises(NotFoundError):
        await run(storage, user="eve")


async def test_bill_run_several_times_at_once_issues_each_document_once(ledger: Ledger, storage: SqliteStorage) -> None:
    ledger.post([ledger.request({"input_tokens": 10**6}), ledger.request({"input_tokens": 9}, user=2)], OCTOBER_US)
    done = await asyncio.gather(*(run(storage) for _ in range(5)))
    assert sorted(one.state for each in done for one in each) == ["issued"] * 2 + ["kept"] * 8
    numbers = [one.document.number for one in await bills.list_all(storage)]
    assert sorted(numbers) == ["INV-2026-00001", "STM-2026-00001"]


async def test_bill_run_for_an_open_or_bad_period_is_refused(ledger: Ledger, storage: SqliteStorage) -> None:
    ledger.clock.us = NOVEMBER_US - 1
    with pytest.raises(ConflictError, match="is not over"):
        await run(storage)
    ledger.clock.us = NOVEMBER_US
    with pytest.raises(ConflictError, match="is not closed"):
        await run(storage, open_=False)
    for label in ("2026-13", "2026-1", "october", "2026-12-01", "9999-12"):
        with pytest.raises((BadInputError, ConflictError)):
            await run(storage, label)


async def test_bill_run_for_a_closed_period_uses_its_own_ends(ledger: Ledger, storage: SqliteStorage) -> None:
    hours_us = 2 * 3600 * 10**6
    ledger.post([ledger.request({"input_tokens": 10**6})], OCTOBER_US - hours_us)
    ledger.post([ledger.request({"input_tokens": 10**6})], NOVEMBER_US - 1)
    connection = ledger.connect()
    connection.execute(
        "INSERT INTO periods VALUES (1, 'oct', 'Europe/Berlin', ?, ?, ?, '[]', x'00')",
        (OCTOBER_US - hours_us, NOVEMBER_US - hours_us // 2, NOVEMBER_US),
    )
    connection.close()
    [invoice] = await issued(storage, "oct", open_=False)
    assert invoice.lines[0].quantity == 10**6
    assert (invoice.first_day, invoice.last_day) == (date(2026, 10, 1), date(2026, 10, 31))


async def test_bill_run_with_an_incomplete_customer_refuses_only_theirs(ledger: Ledger, storage: SqliteStorage) -> None:
    ledger.post([ledger.request({"input_tokens": 10**6}), ledger.request({"input_tokens": 9}, user=2)], OCTOBER_US)
    await bills.set_customer(storage, Billing(), "ada", country="")
    ada, bob = await run(storage)
    assert (ada.state, ada.document, bob.state) == ("refused", None, "issued")
    assert "country" in ada.problem and ada.remedy == "softix bill customer ada --country …"
    await bills.set_customer(storage, Billing(), "ada", country="DE")
    assert [one.state for one in await run(storage)] == ["issued", "kept"]
    with pytest.raises(BadInputError, match="seller has no name"):
        await run(storage, billing=Billing())


async def test_bill_run_with_a_correction_of_an_invoice_issues_a_credit_note(
    ledger: Ledger, storage: SqliteStorage
) -> None:
    request = ledger.request({"input_tokens": 10**6})
    ledger.post([request], OCTOBER_US)
    [october] = await issued(storage)
    ledger.post([ledger.request({"input_tokens": 10**6})], NOVEMBER_US)
    ledger.clock.us = NOVEMBER_US + DAY_US
    await correct(storage, request, 10**12, "wrong price")
    ledger.clock.us = DECEMBER_US
    credit, november = await issued(storage, "2026-11", billing=replace(SELLER, tax_rate="7"))
    assert (credit.kind, credit.about[0].number, credit.period) == (DocumentKind.CREDIT_NOTE, october.number, "2026-11")
    assert credit.totals.net == Decimal("1.69") and credit.lines[0].quantity == 1
    assert credit.tax is not None and credit.tax.rate == 19, "the tax is that of the invoice"
    assert "2026-10, INV-2026-00001 (wrong price)" in credit.lines[0].description
    assert november.totals.net == Decimal("2.69")
    assert exact([credit, november]) == Decimal(format_usd(ledger.charged_pico(1, NOVEMBER_US, DECEMBER_US)))
    assert [one.state for one in await run(storage, "2026-11")] == ["kept"] * 2


async def test_bill_run_with_an_upward_or_unbilled_correction_adds_a_line(
    ledger: Ledger, storage: SqliteStorage
) -> None:
    billed, unbilled = ledger.request({"input_tokens": 10**6}), ledger.request({"input_tokens": 10**6})
    ledger.post([unbilled], SEPTEMBER_US)
    ledger.post([billed], OCTOBER_US)
    await run(storage)
    ledger.clock.us = NOVEMBER_US + DAY_US
    await correct(storage, billed, 3 * 10**12)
    await correct(storage, unbilled, 0)
    ledger.clock.us = DECEMBER_US
    [november] = await issued(storage, "2026-11")
    assert november.kind is DocumentKind.CREDIT_NOTE, "more was taken back than used"
    assert [(line.description.split("of ")[1], line.net) for line in november.lines] == [
        ("2026-09 (agreed)", Decimal("2.69")),
        ("2026-10, INV-2026-00001 (agreed)", Decimal("-0.31")),
    ]
    assert exact([november]) == Decimal(format_usd(ledger.charged_pico(1, NOVEMBER_US, DECEMBER_US)))


async def test_bill_run_after_an_invoice_was_credited_issues_it_anew(ledger: Ledger, storage: SqliteStorage) -> None:
    request = ledger.request({"input_tokens": 10**6})
    ledger.post([request], OCTOBER_US)
    await run(storage)
    ledger.clock.us = NOVEMBER_US
    await correct(storage, request, 0)
    ledger.clock.us = DECEMBER_US
    await run(storage, "2026-11")
    await bills.credit(storage, SELLER, "INV-2026-00001", "wrong address")
    await bills.set_customer(storage, Billing(), "ada", name="Ada & Sons")
    [again] = await issued(storage)
    assert (again.number, again.buyer.name) == ("INV-2026-00002", "Ada & Sons")
    assert [one.state for one in await run(storage, "2026-11")] == ["kept"], "the correction was credited before"
    assert exact([one.document for one in await bills.list_all(storage)]) == 0


async def test_bill_run_for_an_overlapping_period_is_refused(ledger: Ledger, storage: SqliteStorage) -> None:
    ledger.post([ledger.request({"input_tokens": 10**6})], OCTOBER_US)
    await run(storage)
    connection = ledger.connect()
    connection.execute(
        "INSERT INTO periods VALUES (1, 'fiscal', 'UTC', ?, ?, ?, '[]', x'00')",
        (OCTOBER_US - DAY_US, NOVEMBER_US - DAY_US, NOVEMBER_US),
    )
    connection.close()
    [refused] = await run(storage, "fiscal", open_=False)
    assert refused.state == "refused" and "INV-2026-00001 has a part of that time" in refused.problem


USED = st.fixed_dictionaries(
    {
        "user": st.sampled_from([1, 2]),
        "price": st.sampled_from([5, 6]),
        "tier": st.sampled_from(["standard", "flex"]),
        "markup": st.sampled_from([Fraction(1), Fraction(43, 40), Fraction(100_000_001, 100_000_000)]),
        "meters": st.dictionaries(
            st.sampled_from(["input_tokens", "cached_input_tokens", "output_tokens", "requests"]),
            st.integers(0, 300) | st.integers(0, 10**6),
        ),
        "fee_pico": st.sampled_from([0, 0, 10**9 + 1]),
        "fate": st.sampled_from(["priced", "priced", "limited", "interrupted"]),
        "month": st.integers(0, 2),
        "corrected_in": st.none() | st.tuples(st.integers(0, 2), st.integers(0, 10**11)),
    }
)
MONTHS = (SEPTEMBER_US, OCTOBER_US, NOVEMBER_US, DECEMBER_US)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(USED, min_size=1, max_size=12), st.sets(st.integers(0, 2)))
def test_bill_documents_of_random_usage_add_up_to_the_ledger(used: list[dict[str, Any]], cancelled: set[int]) -> None:
    """Of random usage and corrections, billed month by month, some invoices taken back and issued anew."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_bill_all(Ledger(Path(folder)), used, cancelled))


async def _bill_all(ledger: Ledger, used: list[dict[str, Any]], cancelled: set[int]) -> None:
    await ledger.database.open()
    storage = SqliteStorage(ledger.database)
    await known_customer(storage)
    await balance.add(storage, "bob@example.org", 10**15)
    requests = [(one, _request(ledger, one)) for one in used]
    for month, (from_us, to_us) in enumerate(pairwise(MONTHS)):
        ledger.post([request for one, request in requests if one["month"] == month], from_us)
        ledger.clock.us = to_us - DAY_US
        for one, request in requests:
            when, charge_pico = one["corrected_in"] or (9, 0)
            if max(when, one["month"]) == month and one["corrected_in"]:
                await correct(storage, request, charge_pico)
        ledger.clock.us = to_us
        label = ("2026-09", "2026-10", "2026-11")[month]
        await run(storage, label)
        if month in cancelled:
            for one in await bills.list_all(storage, period=label, kind=DocumentKind.INVOICE):
                await bills.credit(storage, SELLER, one.document.number, "again")
            await run(storage, label)
        assert {one.state for one in await run(storage, label)} <= {"kept"}
        for user in (1, 2):
            made = [one for one in await storage.reading().bill.list(user) if one.span == (from_us, to_us)]
            assert sum(one.exact_pico or 0 for one in made) == ledger.charged_pico(user, from_us, to_us)
    for user in (1, 2):
        await _check_chain(storage, ledger, user)
    await ledger.database.close()


def _request(ledger: Ledger, one: dict[str, Any]) -> Settlement:
    fate: dict[str, Any] = {
        "priced": {},
        "limited": {"charge_pico": 10**6, "note": "limited_to_hold"},
        "interrupted": {"charge_pico": 10**9, "source": UsageSource.INTERRUPTED},
    }[one["fate"]]
    meters = {} if one["fate"] == "interrupted" else one["meters"]
    return ledger.request(meters, user=one["user"], price=one["price"], markup=one["markup"], tier=one["tier"], **fate)


async def _check_chain(storage: SqliteStorage, ledger: Ledger, user: int) -> None:
    """Every month of cents, and what the last one carries, is what was charged."""
    made = [one for one in await storage.reading().bill.list(user) if one.exact_pico is not None]
    cents_pico = sum(
        (-1 if one.document.kind is DocumentKind.CREDIT_NOTE else 1) * int(one.document.totals.net.scaleb(12))
        for one in made
    )
    carried_pico = await storage.reading().bill.carried_pico(user)
    assert cents_pico + carried_pico == ledger.charged_pico(user, MONTHS[0], MONTHS[-1])
    for one in made:
        assert sum((line.net for line in one.document.lines), Decimal(0)) == one.document.totals.net
