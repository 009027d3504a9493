from __future__ import annotations

from dataclasses import replace

import pytest
from support.billing import document as make_document
from support.books import USD
from support.engines import Books

from softix_proxy.domain.billing.bill import DocumentKind, StoredDocument
from softix_proxy.domain.core.errors import ConflictError, NotFoundError
from softix_proxy.domain.ledger.ledger import ADJUSTMENTS, CASH, Transfer
from softix_proxy.domain.ledger.payments import OnlinePayment, PaymentKind, PaymentPosting, PaymentState, PostingCause
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.storage.sqlite.core.engine import DatabaseError

pytestmark = pytest.mark.only_engine("sqlite", reason="expects the error of its library")

PAYMENT = OnlinePayment(
    id=0,
    public_id="pay_one",
    user_id=1,
    kind=PaymentKind.CHECKOUT,
    state=PaymentState.OPEN,
    asked_cents=2500,
    asked_tax_cents=475,
    is_live=True,
    created_at_us=7,
    account_id=3,
)


async def add(storage: Storage, **changes: object) -> OnlinePayment:
    async with storage.writing() as unit:
        return await unit.payments.add(replace(PAYMENT, **changes))  # type: ignore[arg-type] # of the fields' types


async def test_added_payment_is_found_by_each_of_its_ids(storage: Storage) -> None:
    added = await add(storage, session_id="cs_1", intent_id="pi_1")
    assert added == replace(PAYMENT, id=added.id, session_id="cs_1", intent_id="pi_1") and added.id > 0
    store = storage.reading().payments
    assert await store.get(added.id) == await store.find("pay_one") == added
    assert await store.by_session("cs_1") == await store.by_intent("pi_1") == added
    assert await store.find("pay_two") is await store.by_session("x") is await store.by_intent("x") is None
    with pytest.raises(NotFoundError):
        await store.get(added.id + 1)


async def test_update_writes_every_column_that_may_change(storage: Storage) -> None:
    added = await add(storage)
    changed = replace(
        added, state=PaymentState.PAID, session_id="cs_9", intent_id="pi_9", paid_cents=2975, tax_cents=475,
        refunded_cents=5, disputed_cents=6, held_cents=7, credit_pico=8, posted_fetch=2, changed_fetch=1,
        failure="x", changed_at_us=9,
    )  # fmt: skip
    async with storage.writing() as unit:
        assert [await unit.payments.number_fetch(added.id) for _ in range(2)] == [1, 2]
        await unit.payments.update(changed)
    assert await storage.reading().payments.get(added.id) == changed


async def test_payments_are_listed_newest_first_and_unfinished_ones_oldest_first(storage: Storage) -> None:
    first = await add(storage)
    second = await add(storage, public_id="pay_two", user_id=2, state=PaymentState.PAID)
    third = await add(storage, public_id="pay_three", state=PaymentState.PROCESSING)
    store = storage.reading().payments
    assert await store.list(None, 9) == [third, second, first] and await store.list(1, 1) == [third]
    assert await store.unfinished() == [first, third] and await store.first_begun_us() == 7


async def test_user_has_one_unfinished_automatic_payment_at_most(storage: Storage) -> None:
    automatic = {"kind": PaymentKind.AUTOMATIC, "account_id": None}
    first = await add(storage, **automatic)
    with pytest.raises(ConflictError):
        await add(storage, public_id="pay_two", **automatic)
    await add(storage, public_id="pay_bob", user_id=2, **automatic)
    async with storage.writing() as unit:
        await unit.payments.update(replace(first, state=PaymentState.FAILED))
    await add(storage, public_id="pay_two", **automatic)


async def test_fetch_numbers_rise_and_one_that_was_rolled_back_is_given_again(storage: Storage) -> None:
    added = await add(storage)
    with pytest.raises(RuntimeError):
        async with storage.writing() as unit:
            assert await unit.payments.number_fetch(added.id) == 1
            raise RuntimeError
    async with storage.writing() as unit:
        assert await unit.payments.number_fetch(added.id) == 1
        with pytest.raises(NotFoundError):
            await unit.payments.number_fetch(99)


async def test_postings_are_kept_for_their_payment_and_never_changed(books: Books) -> None:
    storage = books.storage
    added = await add(storage)
    posting = PaymentPosting(5, added.id, PostingCause.REFUND, -3, -4, 2)
    async with storage.writing() as unit:
        await unit.payments.record(posting)
    store = storage.reading().payments
    assert await store.posted(added.id) == [posting] and await store.posted(99) == []
    assert await store.of_transfers([4, 5]) == {5: posting}
    for statement in ("UPDATE payment_postings SET amount_pico = 1", "DELETE FROM payment_postings"):
        with pytest.raises(DatabaseError):
            await books.run(statement)


async def test_postings_between_two_times_come_with_their_payments_and_without_the_end(storage: Storage) -> None:
    first, second = await add(storage), await add(storage, public_id="pay_two", user_id=2, intent_id="pi_2")
    owners = {4: first, 5: first, 6: second, 7: first, 8: second}
    postings = {at: PaymentPosting(at, of.id, PostingCause.PAYMENT, at, -at, 1) for at, of in owners.items()}
    async with storage.writing() as unit:
        for posting in postings.values():
            await unit.payments.record(posting)
    store = storage.reading().payments
    assert await store.posted_between(5, 8) == [(owners[at], postings[at]) for at in (6, 5, 7)]
    assert await store.posted_between(9, 99) == []


async def test_payments_without_a_document_are_listed_until_each_posting_that_needs_one_has_it(
    storage: Storage,
) -> None:
    first, second, held = [
        await add(storage, public_id=f"pay_{n}", user_id=user) for n, user in ((1, 1), (2, 2), (3, 1))
    ]
    causes = {4: (first, PostingCause.PAYMENT), 5: (second, PostingCause.REFUND), 6: (held, PostingCause.HOLD)}
    causes[7] = (first, PostingCause.REFUND)

    async def listed(user_id: int | None, limit: int = 9) -> list[OnlinePayment]:
        return list(await storage.reading().payments.undocumented(user_id, limit))

    async def document(transfer_id: int, kind: DocumentKind, about_id: int | None = None) -> int:
        draft = StoredDocument(0, 1, make_document(kind), None, False, 9, about_id, transfer_id=transfer_id)
        async with storage.writing() as unit:
            return (await unit.bill.add(draft, f"{kind.name[0]}-")).id

    async with storage.writing() as unit:
        for at, (payment, cause) in causes.items():
            await unit.payments.record(PaymentPosting(at, payment.id, cause, 1, 1, 1))
    assert await listed(None) == await listed(1) == [first]  # the second went back without a receipt
    assert await listed(2) == [] == await listed(None, 0)
    receipt = await document(4, DocumentKind.RECEIPT)
    assert await listed(1) == [first]
    await document(7, DocumentKind.CREDIT_NOTE, receipt)
    assert await listed(None) == []


async def test_event_is_seen_once_and_forgotten_by_age(storage: Storage) -> None:
    store = storage.reading().payments
    assert await store.last_seen_us() == 0
    async with storage.writing() as unit:
        for at_us in (10, 20):
            await unit.payments.see("evt_1", None, at_us)
        await unit.payments.see("evt_2", None, 30)
    assert await store.is_seen("evt_1") and not await store.is_seen("evt_3")
    assert await store.last_seen_us() == 30
    async with storage.writing() as unit:
        assert await unit.payments.forget_events(11) == 1
    assert not await store.is_seen("evt_1") and await store.is_seen("evt_2")


async def test_customer_row_is_claimed_once_for_each_mode_and_keeps_its_first_id(storage: Storage) -> None:
    async with storage.writing() as unit:
        assert await unit.payments.claim_customer(1, False, "one", 5) == ("one", None)
        assert await unit.payments.claim_customer(1, False, "two", 6) == ("one", None)
        assert await unit.payments.claim_customer(1, True, "three", 6) == ("three", None)
        assert await unit.payments.set_customer(1, False, "cus_1") == "cus_1"
        assert await unit.payments.set_customer(1, False, "cus_2") == "cus_1"
        assert await unit.payments.claim_customer(1, False, "four", 7) == ("one", "cus_1")
    store = storage.reading().payments
    assert (await store.customer(1, False), await store.customer(1, True), await store.customer(2, True)) == (
        "cus_1", None, None,
    )  # fmt: skip


async def test_customer_that_is_forgotten_is_claimed_anew_and_another_one_stays(storage: Storage) -> None:
    async with storage.writing() as unit:
        for is_live, claim in ((False, "one"), (True, "two")):
            await unit.payments.claim_customer(1, is_live, claim, 5)
            await unit.payments.set_customer(1, is_live, f"cus_{claim}")
        await unit.payments.forget_customer(1, False, "cus_other")
        assert await unit.payments.customer(1, False) == "cus_one"
        await unit.payments.forget_customer(1, False, "cus_one")
        assert await unit.payments.claim_customer(1, False, "three", 6) == ("three", None)
        assert await unit.payments.customer(1, True) == "cus_two"
        await unit.payments.forget_customers(False)
        assert await unit.payments.claim_customer(1, False, "four", 7) == ("four", None)
        assert await unit.payments.customer(1, True) == "cus_two"


async def test_automatic_sum_counts_what_did_not_fail_since_a_time(storage: Storage) -> None:
    automatic = {"kind": PaymentKind.AUTOMATIC, "created_at_us": 100}
    for number, state in enumerate(PaymentState):
        if state is not PaymentState.PROCESSING:
            await add(storage, public_id=f"pay_{number}", state=state, asked_cents=10**number, **automatic)
    await add(storage, public_id="pay_old", state=PaymentState.PAID, **{**automatic, "created_at_us": 99})
    await add(storage, public_id="pay_by_hand", state=PaymentState.PAID, created_at_us=100)
    places = {state: number for number, state in enumerate(PaymentState)}
    counted = (PaymentState.OPEN, PaymentState.PAID, PaymentState.REFUSED)
    assert await storage.reading().payments.automatic_cents(1, 100) == sum(10 ** places[state] for state in counted)


async def test_adjusted_sum_leaves_out_top_ups_and_what_is_held_for_refunds(storage: Storage) -> None:
    added = await add(storage)
    async with storage.writing() as unit:
        for source, target, kind in (
            (ADJUSTMENTS, 1, "adjustment"),
            (CASH, 1, "top-up"),
            (ADJUSTMENTS, 2, "adjustment"),
        ):
            await unit.ledger.post(Transfer(0, source, target, 7 * USD, kind))  # type: ignore[arg-type] # one of the kinds
        taken = await unit.ledger.post(Transfer(0, 1, ADJUSTMENTS, 2 * USD, "adjustment"))
        held = await unit.ledger.post(Transfer(0, 1, ADJUSTMENTS, 4 * USD, "adjustment"))
        await unit.payments.record(PaymentPosting(held.id, added.id, PostingCause.HOLD, -4 * USD, -400, 1))
        assert await unit.payments.adjusted_pico(1) == 5 * USD and taken.id < held.id
