from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.billing import DECEMBER_US, OCTOBER_US, SELLER, Ledger
from support.listening import heard, listen
from support.members import join

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.billing.seller import Billing
from softix_proxy.domain.notices.webhook_events import EventKind
from softix_proxy.operations.billing import bill as bills
from softix_proxy.operations.billing import bill_run
from softix_proxy.operations.ledger import balance
from softix_proxy.operations.notices import outbox
from softix_proxy.storage.sqlite.unit import SqliteStorage


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqliteStorage]:
    """ada pays by invoice, and bob in advance."""
    ledger = Ledger(tmp_path)
    await ledger.database.open()
    try:
        made = SqliteStorage(ledger.database)
        for user, country in (("ada", "DE"), ("bob", "FR")):
            await bills.set_customer(
                made, Billing(), user, name=f"{user.title()} Ltd", country=country, city="X", vat_id=f"{country}123"
            )
        ledger.post([ledger.request({"input_tokens": 4_000_000})], OCTOBER_US)
        ledger.clock.us = OCTOBER_US + 5
        await balance.add(made, "bob@example.org", 20 * 10**12, reference="pay-9")
        ledger.clock.us = DECEMBER_US
        yield made
    finally:
        await ledger.database.close()


async def run(storage: SqliteStorage, *, dry: bool = False) -> None:
    async for _ in bill_run.run(storage, SELLER, "2026-10", user=None, open_=True, dry=dry):
        pass


async def told(storage: SqliteStorage) -> set[tuple[str, str, str, str]]:
    return {
        (each.notice.kind.value, each.notice.email, each.notice.values["number"], each.notice.values["amount"])
        for each in await outbox.list_all(storage, limit=100)
    }


async def test_invoice_and_receipt_are_told_once_to_those_who_may_see_bills(storage: SqliteStorage) -> None:
    for user_id, name, role in (
        (1, "ada", OrganisationRole.OWNER),
        (1, "max", OrganisationRole.MEMBER),
        (2, "bob", OrganisationRole.OWNER),
        (2, "bea", OrganisationRole.BILLING),
    ):
        await join(storage, user_id, name, role)
    await run(storage, dry=True)
    assert await told(storage) == set()
    for _ in range(2):
        await run(storage)
    [invoice] = [one.document for one in await bills.list_all(storage, user="ada")]
    receipt = next(one.document for one in await bills.list_all(storage, user="bob"))
    assert await told(storage) == {
        ("invoice", "ada@example.org", invoice.number, f"${invoice.totals.gross}"),
        ("receipt", "bob@example.org", receipt.number, "$23.80"),
        ("receipt", "bea@example.org", receipt.number, "$23.80"),
    }


async def test_bill_of_an_organisation_without_members_is_told_to_nobody(storage: SqliteStorage) -> None:
    await run(storage)
    assert await told(storage) == set()


async def test_endpoint_is_told_of_invoice_and_receipt_once(storage: SqliteStorage) -> None:
    await listen(storage)
    for dry in (True, False, False):
        await run(storage, dry=dry)
    told = dict(await heard(storage))
    assert len(await heard(storage)) == 2 and told.keys() == {EventKind.INVOICE_ISSUED, EventKind.RECEIPT_ISSUED}
    invoice, receipt = told[EventKind.INVOICE_ISSUED], told[EventKind.RECEIPT_ISSUED]
    assert (invoice["document"], invoice["due_on"], invoice["organisation_name"]) == (
        "INV-2026-00001",
        "2026-12-31",
        "ada",
    )
    assert receipt["organisation_name"] == "bob" and "due_on" not in receipt
