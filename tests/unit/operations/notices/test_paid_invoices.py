from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.billing import DECEMBER_US, OCTOBER_US, SELLER, Ledger
from support.listening import heard, listen

from softix_proxy.domain.billing.seller import Billing
from softix_proxy.domain.core.money import parse_usd
from softix_proxy.domain.notices.webhook_events import EventKind
from softix_proxy.operations.billing import bill as bills
from softix_proxy.operations.billing import bill_run
from softix_proxy.operations.ledger import balance
from softix_proxy.storage.sqlite.unit import SqliteStorage

NUMBER = "INV-2026-00001"


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqliteStorage]:
    """ada pays by invoice, and has one."""
    ledger = Ledger(tmp_path)
    await ledger.database.open()
    try:
        made = SqliteStorage(ledger.database)
        await bills.set_customer(made, Billing(), "ada", name="Ada Ltd", country="DE", city="X", vat_id="DE123")
        ledger.post([ledger.request({"input_tokens": 4_000_000})], OCTOBER_US)
        ledger.clock.us = DECEMBER_US
        await listen(made)
        async for _ in bill_run.run(made, SELLER, "2026-10", user="ada", open_=True, dry=False):
            pass
        yield made
    finally:
        await ledger.database.close()


async def net(storage: SqliteStorage) -> int:
    invoice = await storage.reading().bill.find(NUMBER)
    assert invoice is not None
    return parse_usd(str(invoice.document.totals.net))


async def test_invoice_is_paid_by_a_payment_that_names_it_and_covers_it_once(storage: SqliteStorage) -> None:
    amount_pico = await net(storage)
    for _ in range(2):
        await balance.add(storage, "ada@example.org", amount_pico, reference=NUMBER)
    issued, paid = await heard(storage)
    assert issued[0] is EventKind.INVOICE_ISSUED and issued[1]["document"] == NUMBER and issued[1]["due_on"]
    assert paid[0] is EventKind.INVOICE_PAID
    assert (paid[1]["document"], paid[1]["organisation_name"]) == (NUMBER, "ada")


async def test_invoice_is_not_paid_by_less_by_another_or_without_its_number(storage: SqliteStorage) -> None:
    amount_pico = await net(storage)
    await balance.add(storage, "ada@example.org", amount_pico)
    await balance.add(storage, "ada@example.org", amount_pico, reference="pay-1")
    await balance.add(storage, "bob@example.org", amount_pico, reference=NUMBER)
    assert [kind for kind, _ in await heard(storage)] == [EventKind.INVOICE_ISSUED]


async def test_invoice_is_not_paid_by_a_part_of_it(storage: SqliteStorage) -> None:
    await balance.add(storage, "ada@example.org", await net(storage) - 1, reference=NUMBER)
    assert [kind for kind, _ in await heard(storage)] == [EventKind.INVOICE_ISSUED]
