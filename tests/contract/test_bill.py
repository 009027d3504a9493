from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.billing import NOVEMBER_US, OCTOBER_US, SHEET, Ledger, document
from support.process import environment

from softix_proxy.domain.billing.bill import Customer, DocumentKind, Party, StoredDocument
from softix_proxy.domain.billing.taxes import Category
from softix_proxy.domain.core.calendar import Calendar
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.errors import ConflictError, NotFoundError
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.domain.pricing.rates import Rate
from softix_proxy.operations.ledger import balance
from softix_proxy.operations.ledger.corrections import Corrections
from softix_proxy.storage.sqlite.core.engine import DatabaseError
from softix_proxy.storage.sqlite.unit import SqliteStorage

pytestmark = pytest.mark.only_engine("sqlite", reason="reads in portions, and asks what an import brings along")

OCTOBER = Span(OCTOBER_US, NOVEMBER_US)
EVER = Span(0, 2**63 - 1)
SERIES = "INV-2026-"


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path)


@pytest.fixture
async def storage(ledger: Ledger) -> AsyncIterator[SqliteStorage]:
    await ledger.database.open()
    yield SqliteStorage(ledger.database)
    await ledger.database.close()


def bill(**changes: object) -> StoredDocument:
    values: dict[str, object] = {
        "id": 0,
        "user_id": 1,
        "document": document(),
        "span": OCTOBER,
        "covers": True,
        "issued_at_us": NOVEMBER_US,
        "exact_pico": 5,
        "carried_pico": 2,
        **changes,
    }
    return StoredDocument(**values)  # type: ignore[arg-type]


async def add(storage: SqliteStorage, series: str = SERIES, **changes: object) -> StoredDocument:
    async with storage.writing() as unit:
        return await unit.bill.add(bill(**changes), series)


async def test_issued_document_of_each_kind_is_read_back_unchanged(storage: SqliteStorage) -> None:
    for kind in DocumentKind:
        receipt = kind is DocumentKind.RECEIPT
        amounts = {"exact_pico": None, "carried_pico": None, "transfer_id": 7, "span": None} if receipt else {}
        added = await add(storage, f"{kind}-", document=document(kind), covers=False, **amounts)
        assert added.document == replace(document(kind), number=f"{kind}-00001") and added.id > 0
        assert await storage.reading().bill.find(added.document.number) == added
        assert await storage.reading().bill.get(added.id) == added
    assert len(await storage.reading().bill.list(1, "2026-10")) == len(DocumentKind)
    assert await storage.reading().bill.list(2) == await storage.reading().bill.list(1, "2026-09") == []
    with pytest.raises(NotFoundError):
        await storage.reading().bill.get(99)


async def test_document_numbers_after_a_rollback_have_no_gap(storage: SqliteStorage) -> None:
    numbers = [(await add(storage, covers=False)).document.number for _ in range(3)]
    with pytest.raises(RuntimeError):
        async with storage.writing() as unit:
            assert (await unit.bill.add(bill(covers=False), SERIES)).document.number == "INV-2026-00004"
            raise RuntimeError("the number is given back")
    numbers.append((await add(storage, covers=False)).document.number)
    assert numbers == [f"INV-2026-0000{number}" for number in range(1, 5)]
    assert (await add(storage, "INV-2027-", covers=False)).document.number == "INV-2027-00001"


ONE_OF_MANY = """
import asyncio, sys
sys.path.insert(0, sys.argv[1] + "/tests")
from contract.test_bill import bill
from pathlib import Path
from softix_proxy.domain.core.clock import SystemClock
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage
async def main():
    database = await Database(Path(sys.argv[2]), SystemClock(), 60_000).open()
    for _ in range(10):
        async with SqliteStorage(database).writing() as unit:
            print((await unit.bill.add(bill(covers=False), "INV-")).document.number)
    await database.close()
asyncio.run(main())
"""


async def test_document_numbers_of_concurrent_processes_have_no_gap(ledger: Ledger) -> None:
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", ONE_OF_MANY, str(root), str(ledger.database.path)]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()) for _ in range(4)
    ]
    told = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, told
    numbers = b"".join(out for out, _ in told).decode().split()
    assert sorted(numbers) == [f"INV-{number:05d}" for number in range(1, 41)]


async def test_issued_document_cannot_be_updated_deleted_or_inserted_out_of_order(
    ledger: Ledger, storage: SqliteStorage
) -> None:
    await add(storage)
    connection = ledger.connect()
    for statement in ("UPDATE bills SET number = 'X'", "DELETE FROM bills"):
        with pytest.raises(DatabaseError, match="append-only"):
            connection.execute(statement)
    with pytest.raises(DatabaseError, match="no gaps"):
        connection.execute("INSERT INTO bills SELECT 9, series, 9, 'X', kind, user_id, period, 0, 1, 0, NULL, 0, NULL,"
                           " 1, 1, 1, document FROM bills")  # fmt: skip
    connection.close()


async def test_billed_span_is_refused_a_second_document_until_the_first_is_cancelled(storage: SqliteStorage) -> None:
    first = await add(storage)
    with pytest.raises(ConflictError, match="already"):
        await add(storage, span=Span(OCTOBER_US + DAY_US, NOVEMBER_US + DAY_US))
    await add(storage, user_id=2)
    await add(storage, span=Span(NOVEMBER_US, NOVEMBER_US + DAY_US))
    assert await storage.reading().bill.of_period(1, OCTOBER) == [first]
    credit = document(DocumentKind.CREDIT_NOTE)
    taken = await add(storage, document=credit, covers=False, about_id=first.id, cancels=True, carried_pico=-4)
    assert await storage.reading().bill.cancelled_by(first.id) == taken
    assert await storage.reading().bill.of_period(1, OCTOBER) == []
    with pytest.raises(ConflictError):
        await add(storage, document=credit, covers=False, about_id=first.id, cancels=True)
    again = await add(storage)
    assert await storage.reading().bill.of_period(1, OCTOBER) == [again]


async def test_carried_amount_is_that_of_the_last_document_that_states_one(storage: SqliteStorage) -> None:
    assert await storage.reading().bill.carried_pico(1) == 0
    await add(storage, carried_pico=-3, covers=False)
    await add(storage, user_id=2)
    receipt = {"exact_pico": None, "carried_pico": None, "transfer_id": 7, "document": document(DocumentKind.RECEIPT)}
    await add(storage, covers=False, **receipt)
    assert await storage.reading().bill.carried_pico(1) == -3
    assert await storage.reading().bill.receipted([6, 7]) == {7}
    with pytest.raises(ConflictError):
        await add(storage, covers=False, **receipt)


async def test_customer_set_twice_is_the_last_one(storage: SqliteStorage) -> None:
    assert await storage.reading().bill.customer(1) is None
    customer = Customer(1, Party("Ada", ("A 1", "B"), country="DE"), Category.EXEMPT, None, "why")
    async with storage.writing() as unit:
        await unit.bill.set_customer(Customer(1, Party("Before")))
        await unit.bill.set_customer(customer)
    assert await storage.reading().bill.customer(1) == customer


async def test_usage_sums_in_portions_of_any_size_equal_those_of_the_rows(
    ledger: Ledger, storage: SqliteStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In portions of any size; what was free, or of another time, is left out."""
    sizes = [100, 250, 250, 300, 200, 201]
    rows = [ledger.request({"input_tokens": size, "output_tokens": 7}, price=6) for size in sizes]
    rows += [ledger.request({"input_tokens": 1}, user=2), ledger.request({"input_tokens": 1}, charge_pico=0)]
    rows.append(ledger.request({"output_tokens": 1}, charge_pico=5, note="clamped limited_to_hold"))
    rows.append(ledger.request({}, charge_pico=9, source=UsageSource.INTERRUPTED))
    ledger.post(rows, OCTOBER_US)
    ledger.post([ledger.request({"input_tokens": 1})], NOVEMBER_US)
    reading = storage.reading().bill
    for at_once in (1, 4, 1000):
        monkeypatch.setattr("softix_proxy.storage.sqlite.billing.bill._SUMMED_AT_ONCE", at_once)
        found = [one async for one in reading.usage_sums(OCTOBER, 1, [272_000, 200])]
        low, high = ([one for one in found if one.price_id == 6 and one.band_tokens == band] for band in (0, 201))
        assert sum(one.meters["input_tokens"] for one in low) == 300 and sum(one.rows for one in high) == 4
        assert sum(one.charge_pico for one in found) == ledger.charged_pico(1, *OCTOBER)
        assert {one.label: one.charge_pico for one in found if one.label} == {"limited_to_hold": 5, "interrupted": 9}
        assert {one.model for one in found} == {"lab/llama"}
    everyone = [one async for one in reading.usage_sums(EVER, None, [])]
    assert {one.user_id for one in everyone} == {1, 2} and {one.band_tokens for one in everyone} == {0}


async def test_correction_sums_are_grouped_by_document_and_month(ledger: Ledger, storage: SqliteStorage) -> None:
    first, second, third = (ledger.request({"input_tokens": 1000}) for _ in range(3))
    ledger.post([first, second], OCTOBER_US)
    ledger.post([third], NOVEMBER_US)
    invoice = await add(storage)
    ledger.clock.us = NOVEMBER_US + DAY_US
    for request, note in ((first, "agreed"), (second, "other"), (third, "agreed")):
        await Corrections(storage, note).set_charge(format_request_id(request.intent.request_id), 0)
    november = Span(NOVEMBER_US, NOVEMBER_US + 2 * DAY_US)
    found = [one async for one in storage.reading().bill.correction_sums(november, None, Calendar("UTC"))]
    charge = Rate(5, SHEET, first.markup).price({"input_tokens": 1000}).charge_pico
    assert [(one.about_id, one.month, one.note, one.rows, one.charge_pico) for one in found] == [
        (None, "2026-11", "agreed", 1, -charge),
        (invoice.id, "2026-10", "", 2, -2 * charge),
    ]
    assert [one async for one in storage.reading().bill.correction_sums(OCTOBER, 1, Calendar("UTC"))] == []


async def test_payments_and_charges_since_an_instant_equal_those_of_the_ledger(
    ledger: Ledger, storage: SqliteStorage
) -> None:
    await balance.add(storage, "ada@example.org", 7 * 10**12, reference="pay-1", note="thanks")
    await balance.set_to(storage, "bob@example.org", 9 * 10**12)
    paid, adjusted = await storage.reading().bill.payments(OCTOBER, None)
    assert (paid.user_id, paid.kind, paid.amount_pico, paid.reference, paid.note) == (
        1, "top-up", 7 * 10**12, "pay-1", "thanks",
    )  # fmt: skip
    assert (adjusted.user_id, adjusted.kind, adjusted.amount_pico) == (2, "adjustment", -(10**12))
    assert await storage.reading().bill.payments(OCTOBER, 2) == [adjusted]
    for number in range(3):
        ledger.post([ledger.request({"input_tokens": 1000})], OCTOBER_US + number * DAY_US // 2 + 10)
    for instant_us in (OCTOBER_US, OCTOBER_US + 11, OCTOBER_US + DAY_US, NOVEMBER_US):
        since = await storage.reading().bill.charged_since(instant_us, None)
        assert since.get(1, 0) == ledger.charged_pico(1, instant_us, EVER.to_us)
    assert await storage.reading().bill.charged_since(0, 2) == {}


async def test_documents_pages_are_the_newest_first_of_one_user_or_period_if_asked(storage: SqliteStorage) -> None:
    async with storage.writing() as unit:
        first = await unit.bill.add(bill(), SERIES)
        second = await unit.bill.add(bill(user_id=2), SERIES)
    bills = storage.reading().bill
    assert await bills.page(None, None, None, 9) == [second, first]
    assert await bills.page(None, None, second.id, 9) == [first] and await bills.page(None, None, None, 1) == [second]
    assert await bills.page(1, None, None, 9) == [first] and await bills.page(None, "2000-01", None, 9) == []
    assert await bills.page(2, second.document.period, None, 9) == [second]
