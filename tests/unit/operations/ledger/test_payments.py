"""Payments against the fake Stripe, by the real SDK and the real database. Each case was a loss of money somewhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from support.books import make_intent, revision
from support.paying import Paying, paying

from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.errors import ConflictError, NotFoundError
from softix_proxy.domain.ledger.ledger import CASH
from softix_proxy.domain.ledger.payments import OnlinePayment, PaymentPosting, PaymentState, PostingCause
from softix_proxy.domain.metering.admission import Admitted, Denied
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.domain.ports.payment_gateway import EventHint, GatewayError
from softix_proxy.domain.ports.storage import Unit
from softix_proxy.operations.ledger import balance, ledger, payment_sweeps, payments
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.write_path.group import CommitGroup


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Paying]:
    async with paying(tmp_path) as made:
        yield made


async def notices(lab: Paying) -> list[NoticeKind]:
    return [one.kind for one in await lab.notices()]


async def test_paid_checkout_credits_its_amount_by_one_transfer_from_cash(lab: Paying) -> None:
    payment = await lab.paid(2500)
    assert (payment.state, payment.credit_pico) == (PaymentState.PAID, 25 * 10**12)
    [entry, _] = await balance.history(lab.storage, "usr_ada", 10)
    assert (entry.kind, entry.amount_pico, entry.reference) == (
        "top-up", 25 * 10**12, f"{payment.public_id}:payment:1",
    )  # fmt: skip
    [posting] = await lab.storage.reading().payments.posted(payment.id)
    assert (posting.cause, posting.gross_cents, posting.transfer_id) == (PostingCause.PAYMENT, 2500, entry.id)
    assert (await ledger.verify(lab.storage)).violations == ()


async def test_same_event_25_times_at_once_gives_one_credit(lab: Paying) -> None:
    """pollinations#10621."""
    session_id = await lab.begin(2500)
    lab.fake.pay(session_id)
    hint = lab.hint(lab.fake.events[-1])
    done = await asyncio.gather(*(payments.handle_event(lab.context, hint) for _ in range(25)), return_exceptions=True)
    assert not [one for one in done if isinstance(one, BaseException) and not isinstance(one, GatewayError)]
    assert await lab.credit_cents() == 2500
    await lab.told()
    assert await lab.credit_cents() == 2500
    assert len(await lab.storage.reading().payments.posted(1)) == 1


async def test_handler_that_dies_after_it_noted_the_event_leaves_it_to_the_retry(lab: Paying) -> None:
    """LibreChat#13812: the event was marked as seen first, so that the retry did nothing."""
    session_id = await lab.begin(2500)
    lab.fake.pay(session_id)
    hint = lab.hint(lab.fake.events[-1])

    async def dies(unit: Unit, before: OnlinePayment, after: OnlinePayment, postings: Sequence[PaymentPosting]) -> None:
        await unit.payments.see(hint.id, after.id, 1)
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        await payments.handle_event(replace(lab.context, follow_up=dies), hint)
    assert await lab.credit_cents() == 0 and not await lab.storage.reading().payments.is_seen(hint.id)
    await payments.handle_event(lab.context, hint)
    assert await lab.credit_cents() == 2500 and await lab.storage.reading().payments.is_seen(hint.id)


async def test_event_that_names_an_order_of_another_counts_for_no_one(lab: Paying) -> None:
    """new-api#4353: only our own row counts, and only what Stripe itself has about it."""
    victim = await lab.payment(await lab.begin(2500))
    stranger = lab.fake.make(
        "cs_test", "checkout.session", customer="cus_x", status="complete", payment_status="paid", currency="usd",
        amount_total=9900, payment_intent=None, metadata={}, client_reference_id=victim.public_id,
    )  # fmt: skip
    forged = {**stranger, "metadata": {"softix_payment": victim.public_id}}
    assert (
        await payments.handle_event(lab.context, lab.hint(lab.fake.happen("checkout.session.completed", forged)))
        is None
    )
    assert await lab.credit_cents() == 0
    stranger["metadata"] = {"softix_payment": victim.public_id}  # as if Stripe had it: still the row's own page counts
    await lab.told(lab.fake.happen("checkout.session.completed", stranger))
    assert await lab.credit_cents() == 0
    assert (await lab.payment(victim.session_id or "")).state is PaymentState.OPEN


async def test_event_of_nobody_here_is_noted_and_changes_nothing(lab: Paying) -> None:
    hint = EventHint("evt_other", False)
    assert await payments.handle_event(lab.context, hint) is None
    assert await lab.storage.reading().payments.is_seen("evt_other")
    live = hint._replace(id="evt_live", is_live=True)
    assert await payments.handle_event(lab.context, live) is None
    assert not await lab.storage.reading().payments.is_seen("evt_live")


async def test_completed_but_unpaid_checkout_gives_no_credit_until_the_money_arrives(lab: Paying) -> None:
    """AI-Shipping-Labs#1423."""
    session_id = await lab.begin(2500)
    lab.fake.pay(session_id, delayed=True)
    await lab.told()
    assert await lab.credit_cents() == 0
    lab.fake.arrive(session_id)
    await lab.told()
    assert await lab.credit_cents() == 2500


async def test_unpaid_checkout_does_not_read_as_failed(lab: Paying) -> None:
    """gameserverapp#1216: people paid again."""
    declined = await lab.begin(2500)
    lab.fake.decline_on_page(declined)
    delayed = await lab.begin(2600)
    lab.fake.pay(delayed, delayed=True)
    await lab.told()
    assert (await lab.payment(declined)).state is PaymentState.OPEN
    assert (await lab.payment(delayed)).state is PaymentState.PROCESSING
    assert NoticeKind.PAYMENT_FAILED not in await notices(lab)
    lab.fake.bounce(delayed)
    lab.fake.expire(declined)
    await lab.told()
    failed = await lab.payment(delayed)
    assert (failed.state, failed.failure) == (PaymentState.FAILED, "insufficient_funds")
    assert (await lab.payment(declined)).state is PaymentState.EXPIRED
    assert (await notices(lab)).count(NoticeKind.PAYMENT_FAILED) == 1


async def test_tax_inside_the_total_is_not_credited(lab: Paying) -> None:
    """control-layer#1115. 25.00 and 19 % are 29.75."""
    taxed = lab.with_settings(tax="stripe")
    payment = await taxed.paid(2500)
    assert (payment.paid_cents, payment.tax_cents, payment.credit_pico) == (2975, 475, 25 * 10**12)
    assert await lab.credit_cents() == 2500


@pytest.mark.parametrize("currency", ["eur", "jpy"])
async def test_payment_in_another_currency_is_refused_and_operators_are_told(lab: Paying, currency: str) -> None:
    """langwatch#2363; and Paymenter#1258: 2500 yen, which have no decimals, are not 25.00."""
    session_id = await lab.begin(2500)
    lab.fake.pay(session_id, currency=currency)
    await lab.told()
    payment = await lab.payment(session_id)
    assert (payment.state, payment.credit_pico) == (PaymentState.REFUSED, 0)
    assert await lab.credit_cents() == 0
    assert (await notices(lab)).count(NoticeKind.OPERATOR_ALERT) == 1
    await payment_sweeps.sweep(lab.context, everything=True)
    assert (await notices(lab)).count(NoticeKind.OPERATOR_ALERT) == 1


def decides(database: Database, hold_pico: int) -> Admitted | Denied:
    connection = database.connect()
    try:
        connection.execute("BEGIN IMMEDIATE")
        intent = make_intent(1, revision(connection), hold_pico=hold_pico)
        group = CommitGroup(connection, 0, 1)
        group.load([intent])
        [decision] = group.admit([intent])
        connection.execute("ROLLBACK")
        assert isinstance(decision, (Admitted, Denied))
        return decision
    finally:
        connection.close()


@pytest.mark.parametrize("how", ["refund", "dispute"])
async def test_refund_or_dispute_takes_the_credit_back_below_zero_and_keys_stop(
    lab: Paying, tmp_path: Path, how: str
) -> None:
    """eliza#10920. Admission itself refuses a balance below zero; nothing has to switch keys off."""
    payment = await lab.paid(2500)
    await lab.spend(3000)
    database = Database(tmp_path / "softix.db", lab.clock)
    assert isinstance(decides(database, 10**12), Admitted)
    assert payment.intent_id is not None
    lab.fake.send_back(payment.intent_id, 2500) if how == "refund" else lab.fake.dispute(payment.intent_id)
    await lab.told()
    assert await lab.credit_cents() == -3000  # 10.00 at first, so the balance is -20.00
    assert (await lab.storage.reading().balance.get(1)).posted_pico == -20 * 10**12
    assert isinstance(decides(database, 10**12), Denied)


async def test_dispute_that_was_won_gives_the_credit_back_and_a_later_refund_takes_all_of_it(lab: Paying) -> None:
    """eliza#10997 and #11155."""
    payment = await lab.paid(2500)
    assert payment.intent_id is not None
    dispute = lab.fake.dispute(payment.intent_id)
    await lab.told()
    assert await lab.credit_cents() == 0
    lab.fake.close_dispute(dispute["id"], won=True)
    await lab.told()
    assert await lab.credit_cents() == 2500
    lab.fake.send_back(payment.intent_id, 2500)
    await lab.told()
    assert await lab.credit_cents() == 0
    causes = [posting.cause for posting in await lab.storage.reading().payments.posted(payment.id)]
    assert causes == [PostingCause.PAYMENT, PostingCause.DISPUTE, PostingCause.DISPUTE, PostingCause.REFUND]
    assert (await ledger.verify(lab.storage)).violations == ()


async def test_dispute_that_was_lost_and_an_inquiry_change_nothing_more(lab: Paying) -> None:
    payment = await lab.paid(2500)
    assert payment.intent_id is not None
    lab.fake.dispute(payment.intent_id, inquiry=True)
    await lab.told()
    assert await lab.credit_cents() == 2500
    dispute = lab.fake.dispute(payment.intent_id, 1000)
    await lab.told()
    lab.fake.close_dispute(dispute["id"], won=False)
    await lab.told()
    assert await lab.credit_cents() == 1500
    assert (await notices(lab)).count(NoticeKind.DISPUTED) == 1


async def test_two_events_about_one_refund_and_a_refund_before_the_credit_count_once(lab: Paying) -> None:
    """Hi.Events#1067: `charge.refunded` beside `refund.created`."""
    payment = await lab.paid(2500)
    assert payment.intent_id is not None
    lab.fake.send_back(payment.intent_id, 1000)
    assert [event["type"] for event in lab.fake.events] == ["refund.created", "charge.refunded"]
    await lab.told()
    assert await lab.credit_cents() == 1500
    other = await lab.begin(4000)
    intent = lab.fake.pay(other)
    lab.fake.send_back(intent["id"], 1500)
    for event in reversed(lab.fake.events):
        await lab.told(event)
    assert await lab.credit_cents() == 1500 + 2500


async def test_refund_of_one_of_two_payments_leaves_the_other(lab: Paying) -> None:
    """pretix#343."""
    first, second = await lab.paid(2500), await lab.paid(4000)
    assert second.intent_id is not None
    lab.fake.send_back(second.intent_id, 4000)
    await lab.told()
    unit = lab.storage.reading()
    assert (await unit.payments.get(first.id)).credit_pico == 25 * 10**12
    assert (await unit.payments.get(second.id)).credit_pico == 0
    assert await lab.credit_cents() == 2500


async def test_paid_credit_is_given_once_whatever_else_claims_to_grant_it(lab: Paying) -> None:
    """NyxID#1050: a payment that was credited by hand, too, gave the double."""
    session_id = await lab.begin(2500)
    payment = await lab.payment(session_id)
    for reference in (payment.public_id, f"{payment.public_id}:payment:1"):
        with pytest.raises(ConflictError, match="is credited by itself"):
            await balance.add(lab.storage, "usr_ada", 25 * 10**12, reference=reference)
    intent = lab.fake.pay(session_id)
    intent["metadata"]["credit_cents"] = "2500"
    await lab.told()
    assert await lab.credit_cents() == 2500


async def test_account_and_an_opened_checkout_give_no_bonus_before_a_purchase(lab: Paying) -> None:
    """markm8#125."""
    await lab.begin(2500)
    await lab.told()
    await payment_sweeps.sweep(lab.context, everything=True)
    assert await lab.credit_cents() == 0
    assert len(await balance.history(lab.storage, "usr_ada", 10)) == 1  # the one that the books began with


async def test_look_up_that_fails_keeps_the_event_for_the_retry(lab: Paying) -> None:
    """woocommerce-stripe#5058."""
    session_id = await lab.begin(2500)
    lab.fake.pay(session_id)
    [*_, event] = lab.fake.events
    lab.fake.faults.statuses, lab.fake.faults.paths = [500] * 3, "checkout/sessions"
    with pytest.raises(GatewayError):
        await lab.told(event)
    assert not await lab.storage.reading().payments.is_seen(event["id"])
    await lab.told(event)
    assert await lab.credit_cents() == 2500


async def test_payment_that_stripe_never_heard_of_expires_after_a_day(lab: Paying) -> None:
    lab.fake.faults.statuses, lab.fake.faults.paths = [500] * 3, "checkout/sessions"
    with pytest.raises(GatewayError):
        await lab.begin(2500)
    await payment_sweeps.sweep(lab.context)
    [payment] = await payments.list_all(lab.storage, None, 10)
    assert payment.state is PaymentState.OPEN
    lab.clock.us += DAY_US + 1
    await payment_sweeps.sweep(lab.context)
    assert (await lab.storage.reading().payments.get(payment.id)).state is PaymentState.EXPIRED


async def test_older_fetch_is_dropped_and_an_overtaken_one_is_repeated(lab: Paying) -> None:
    session_id = await lab.begin(2500)
    payment = await lab.payment(session_id)
    old, older = [await payments.begin_fetch(lab.context, payment.id) for _ in range(2)]
    lab.fake.pay(session_id)
    await lab.told()
    newest = await payments.begin_fetch(lab.context, payment.id)
    assert newest.number > older.number > old.number
    async with lab.storage.writing() as unit:
        dropped = await payments.take_over(lab.context, unit, old)
        assert dropped is not None and dropped.state is PaymentState.PAID
        overtaken = replace(old, number=newest.number)
        assert await payments.take_over(lab.context, unit, overtaken) is None
        assert await payments.take_over(lab.context, unit, newest) is not None
    assert await lab.credit_cents() == 2500


async def test_payment_of_the_other_mode_is_not_fetched(lab: Paying) -> None:
    payment = await lab.payment(await lab.begin(2500))
    await lab.storage.reading().payments.get(payment.id)
    live = replace(payment, public_id="pay_live", session_id=None, is_live=True)
    async with lab.storage.writing() as unit:
        added = await unit.payments.add(live)
    with pytest.raises(ConflictError, match="in live mode"):
        await payments.reconcile(lab.context, added.id)
    assert (await payment_sweeps.sweep(lab.context, everything=True)).failed == 0


async def test_payment_is_found_by_its_id_alone(lab: Paying) -> None:
    payment = await lab.payment(await lab.begin(2500))
    assert await payments.find(lab.storage.reading(), payment.public_id) == payment
    with pytest.raises(NotFoundError):
        await payments.find(lab.storage.reading(), "pay_nobody")
    assert await payments.list_all(lab.storage, 2, 10) == [] and CASH == -1
