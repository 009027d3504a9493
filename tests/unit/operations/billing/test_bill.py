from __future__ import annotations

from decimal import Decimal

import pytest
from support.billing import SELLER, document
from support.books import StoppedClock

from softix_proxy.domain.access.users import User
from softix_proxy.domain.billing.bill import DocumentKind, StoredDocument
from softix_proxy.domain.billing.seller import Billing
from softix_proxy.domain.billing.taxes import Category
from softix_proxy.domain.core.errors import BadInputError, ConflictError, NotFoundError
from softix_proxy.domain.core.spans import Span
from softix_proxy.operations.access import users
from softix_proxy.operations.billing import bill as bills
from softix_proxy.storage.sqlite.unit import SqliteStorage

EXACT_PICO = 42_341_346_250_000


async def issue(books: SqliteStorage, ada: User, kind: DocumentKind = DocumentKind.INVOICE) -> StoredDocument:
    draft = StoredDocument(
        0,
        ada.id,
        document(kind),
        Span(1, 9),
        kind is not DocumentKind.CREDIT_NOTE,
        9,
        exact_pico=EXACT_PICO,
        carried_pico=3,
    )
    async with books.writing() as unit:
        return await unit.bill.add(draft, f"{kind.name[0]}-")


async def test_bill_customer_without_details_has_the_name_that_people_see(books: SqliteStorage, ada: User) -> None:
    await users.update(books, "ada", display_name="Ada & Söhne")
    _, found = await bills.customer(books, "ada")
    assert (found.party.name, found.party.email) == ("Ada & Söhne", "ada@example.org")


async def test_bill_customer_after_changes_keeps_the_other_fields(books: SqliteStorage, ada: User) -> None:
    _, before = await bills.customer(books, "ada")
    assert (before.party.name, before.party.email, before.category) == ("ada", "ada@example.org", None)
    await bills.set_customer(
        books, Billing(), "ada", name="Ada Ltd", address=["A 1", "B"], country="at", vat_id="atu 12345678", city="Wien",
        tax_category="ae", tax_rate="7", tax_reason="why", reference="PO 7",
    )  # fmt: skip
    await bills.set_customer(books, Billing(), "ada", city="", tax_rate="", address=["C 3"])
    user, after = await bills.customer(books, "ada@example.org")
    assert user == ada
    assert after.party.address == ("C 3",) and (after.party.city, after.rate) == ("", None)
    assert (after.party.name, after.party.country, after.party.vat_id) == ("Ada Ltd", "AT", "ATU12345678")
    assert (after.category, after.reason, after.party.reference) == (Category.REVERSE_CHARGE, "why", "PO 7")


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "two\nlines"},
        {"city": "x" * 201},
        {"address": ["x"] * 6},
        {"country": "Austria"},
        {"vat_id": "1"},
        {"tax_category": "X"},
        {"tax_rate": "1e1"},
        {"tax_category": "E"},
        {"tax_category": "S", "tax_rate": "0"},
    ],
)
async def test_bill_customer_with_bad_fields_is_refused(
    books: SqliteStorage, ada: User, change: dict[str, str]
) -> None:
    with pytest.raises(BadInputError):
        await bills.set_customer(books, Billing(), "ada", **change)  # type: ignore[arg-type]
    assert await books.reading().bill.customer(ada.id) is None


async def test_bill_customer_may_lack_a_reason_that_the_settings_have(books: SqliteStorage, ada: User) -> None:
    billing = Billing(tax_category="E", tax_reason="Small business")
    _, after = await bills.set_customer(books, billing, "ada", tax_category="E")
    assert (after.category, after.reason) == (Category.EXEMPT, "")


async def test_bill_documents_are_listed_by_filter_and_shown_by_number(books: SqliteStorage, ada: User) -> None:
    made = [await issue(books, ada), await issue(books, ada, DocumentKind.CREDIT_NOTE)]
    assert await bills.list_all(books) == await bills.list_all(books, user="ada", period="2026-10") == made
    assert await bills.list_all(books, kind=DocumentKind.CREDIT_NOTE) == made[1:]
    assert await bills.show(books, "I-00001") == made[0]
    with pytest.raises(NotFoundError, match="X-1"):
        await bills.show(books, "X-1")


async def test_invoice_credit_takes_back_the_whole_invoice_once(
    books: SqliteStorage, ada: User, stopped_clock: StoppedClock
) -> None:
    invoice = await issue(books, ada)
    credit = await bills.credit(books, SELLER, "I-00001", "wrong address")
    made = credit.document
    assert (made.kind, made.number, made.due_on) == (DocumentKind.CREDIT_NOTE, "CRN-2027-00001", None)
    assert made.lines == invoice.document.lines and made.totals == invoice.document.totals
    assert made.about[0].number == "I-00001" and "wrong address" in made.notes[0]
    assert credit.cancels and credit.about_id == invoice.id and credit.exact_pico == -EXACT_PICO
    assert made.ledger is not None
    assert made.ledger.charged + made.ledger.carried_in == -made.totals.net + made.ledger.carried_on
    assert made.ledger.carried_in == Decimal("0.000000000003")
    with pytest.raises(ConflictError, match="was credited by CRN-2027-00001"):
        await bills.credit(books, SELLER, "I-00001", "again")


async def test_credit_of_a_statement_or_with_a_bad_note_is_refused(books: SqliteStorage, ada: User) -> None:
    await issue(books, ada, DocumentKind.STATEMENT)
    with pytest.raises(ConflictError, match="S-00001 is a statement"):
        await bills.credit(books, SELLER, "S-00001", "no")
    for note in ("", "two\nlines", "x" * 201):
        with pytest.raises(BadInputError, match="note"):
            await bills.credit(books, SELLER, "S-00001", note)
