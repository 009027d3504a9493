from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.paying import Paying, paying

from softix_proxy.domain.access.users import UserStatus
from softix_proxy.domain.billing.bill import Customer, Party
from softix_proxy.domain.billing.taxes import Category
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.errors import BadInputError, ConflictError
from softix_proxy.domain.ledger.auto_top_ups import AutoTopUp
from softix_proxy.domain.ledger.payments import FetchedPayment, OnlinePayment, PaymentKind, PaymentState
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.operations.access import users
from softix_proxy.operations.ledger import auto_top_ups, checkouts, payment_sweeps, payments, refunds

HOUR_US = 3600 * 10**6


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Paying]:
    """A user with a saved card, whose balance is below the threshold: 10.00 and 20.00."""
    async with paying(tmp_path) as made:
        customer = await checkouts.customer_of(made.context, made.user)
        made.fake.add_method(customer)
        await set_up(made)
        yield made


async def set_up(lab: Paying, **changes: int) -> AutoTopUp:
    values = {"threshold_cents": 2000, "amount_cents": 2500, "monthly_cap_cents": 6000, **changes}
    return await auto_top_ups.set_up(lab.context, 1, account=lab.account, **values)


async def automatic(lab: Paying) -> list[OnlinePayment]:
    return [one for one in await payments.list_all(lab.storage, 1, 99) if one.kind is PaymentKind.AUTOMATIC]


def behaves(lab: Paying, behaviour: str) -> None:
    for method in lab.fake.of("payment_method"):
        method["behaviour"] = behaviour


async def kinds(lab: Paying) -> list[NoticeKind]:
    return [one.kind for one in await lab.notices()]


async def test_balance_below_the_threshold_is_topped_up_once_and_then_left_alone(lab: Paying) -> None:
    assert await auto_top_ups.run(lab.context) == 1
    assert await lab.credit_cents() == 2500
    assert await auto_top_ups.run(lab.context) == 0
    assert await lab.credit_cents() == 2500 and lab.fake.charges_made == 1


async def test_two_handlers_of_one_automatic_top_up_give_one_credit(lab: Paying) -> None:
    """pollinations#11522."""
    await asyncio.gather(*(auto_top_ups.run(lab.context) for _ in range(5)))
    await lab.told()
    await payment_sweeps.sweep(lab.context, everything=True)
    assert (lab.fake.charges_made, len(await automatic(lab)), await lab.credit_cents()) == (1, 1, 2500)


async def test_retry_of_a_slow_charge_has_the_same_key_and_charges_once(lab: Paying) -> None:
    """akash#3449: the answer never came, and the retry was another charge."""
    lab.fake.faults.cut, lab.fake.faults.paths = 3, "payment_intents"
    assert await auto_top_ups.run(lab.context) == 0
    [waiting] = await automatic(lab)
    assert (waiting.state, lab.fake.charges_made) == (PaymentState.OPEN, 1)
    lab.fake.faults.cut = 0
    assert await auto_top_ups.run(lab.context) == 1
    assert (lab.fake.charges_made, len(lab.fake.of("payment_intent")), await lab.credit_cents()) == (1, 1, 2500)
    sent = [key for key in lab.fake.keys if "pay_" in key]
    assert sent == [f"softix-{waiting.public_id}"]


async def test_charge_that_stripe_did_not_take_is_tried_again_with_the_same_payment(lab: Paying) -> None:
    lab.fake.faults.statuses, lab.fake.faults.paths = [500] * 6, "payment_intents"
    assert await auto_top_ups.run(lab.context) == 0
    lab.fake.faults.statuses = []
    assert await auto_top_ups.run(lab.context) == 1
    assert (len(await automatic(lab)), lab.fake.charges_made) == (1, 1)


async def test_rejected_automatic_top_up_backs_off_then_pauses_and_the_person_is_told(lab: Paying) -> None:
    behaves(lab, "declined")
    for hours, failures in ((0, 1), (1, 2), (6, 3)):
        lab.clock.us += hours * HOUR_US - (1 if hours else 0)
        if hours:
            await auto_top_ups.run(lab.context)  # a microsecond too early
            assert len(await automatic(lab)) == failures - 1
            lab.clock.us += 1
        await auto_top_ups.run(lab.context)
        assert len(await automatic(lab)) == failures
        known = await auto_top_ups.show(lab.storage, 1)
        assert known is not None and known.failures == failures
    assert known.paused_at_us is not None
    lab.clock.us += 30 * DAY_US
    await auto_top_ups.run(lab.context)
    assert len(await automatic(lab)) == 3 and await lab.credit_cents() == 0
    told = await kinds(lab)
    assert (told.count(NoticeKind.PAYMENT_FAILED), told.count(NoticeKind.AUTO_TOP_UP_PAUSED)) == (3, 1)
    [first, *_] = await automatic(lab)
    assert (first.state, first.failure) == (PaymentState.FAILED, "insufficient_funds")
    behaves(lab, "works")
    await set_up(lab)
    assert await auto_top_ups.run(lab.context) == 1


async def charged(lab: Paying) -> OnlinePayment:
    assert await auto_top_ups.run(lab.context) == 1
    [payment, *_] = await automatic(lab)
    lab.fake.events.clear()
    return payment


@pytest.mark.parametrize("how", ["refund", "dispute", "request"])
async def test_money_that_went_back_is_not_charged_again_until_a_person_starts_it(lab: Paying, how: str) -> None:
    payment = await charged(lab)
    assert payment.intent_id is not None
    if how == "request":
        await refunds.request(lab.context, payment.public_id, net_cents=2000, account_id=lab.account.id)
    elif how == "refund":
        lab.fake.send_back(payment.intent_id, 2000)
    else:
        lab.fake.dispute(payment.intent_id)
    await lab.told()
    known = await auto_top_ups.show(lab.storage, 1)
    assert known is not None and known.paused_at_us is not None and known.failures == 0
    for _ in range(3):
        lab.clock.us += HOUR_US
        assert await auto_top_ups.run(lab.context) == 0
    assert lab.fake.charges_made == 1
    [notice] = [one for one in await lab.notices() if one.kind is NoticeKind.AUTO_TOP_UP_PAUSED]
    assert notice.values["reason"] == f"money of {payment.public_id} went back"
    await set_up(lab)
    assert await auto_top_ups.run(lab.context) == 1


async def test_second_dispute_after_a_restart_pauses_and_tells_again(lab: Paying) -> None:
    payment = await charged(lab)
    assert payment.intent_id is not None
    for number in (1, 2):
        lab.clock.us += HOUR_US
        lab.fake.dispute(payment.intent_id, 1000)
        await lab.told()
        assert (await kinds(lab)).count(NoticeKind.AUTO_TOP_UP_PAUSED) == number
        await set_up(lab)


async def test_charge_that_stripe_did_not_take_is_not_repeated_after_money_went_back(lab: Paying) -> None:
    earlier = await lab.paid(500)
    assert earlier.intent_id is not None
    lab.fake.faults.statuses, lab.fake.faults.paths = [500] * 6, "payment_intents"
    assert await auto_top_ups.run(lab.context) == 0
    lab.fake.faults.statuses = []
    made = lab.fake.charges_made
    lab.fake.dispute(earlier.intent_id)
    await lab.told()
    assert await auto_top_ups.run(lab.context) == 0
    await auto_top_ups.switch_off(lab.storage, 1)
    assert await auto_top_ups.run(lab.context) == 0 and lab.fake.charges_made == made
    await set_up(lab)
    assert await auto_top_ups.run(lab.context) == 1


async def test_failure_after_money_went_back_is_not_told_as_another_pause(lab: Paying) -> None:
    async with lab.storage.writing() as unit:
        known = await unit.payments.auto_top_ups.get(1)
        assert known is not None
        await unit.payments.auto_top_ups.set(known.after_money_back(lab.clock.now_us() - 1))
        begun = await unit.payments.add(await checkouts.draft(lab.context, unit, lab.user, PaymentKind.AUTOMATIC, 2500))
        number = await unit.payments.number_fetch(begun.id)
        failed = FetchedPayment(state=PaymentState.FAILED, failure="card_declined")
        await payments.take_over(lab.context, unit, payments.PaymentFetch(begun.id, number, 0, failed))
    assert (await kinds(lab)).count(NoticeKind.AUTO_TOP_UP_PAUSED) == 0


async def test_saving_the_form_after_a_failure_charges_no_sooner_and_forgets_no_failure(lab: Paying) -> None:
    behaves(lab, "declined")
    await auto_top_ups.run(lab.context)
    for _ in range(20):
        await auto_top_ups.switch_off(lab.storage, 1)
        saved = await set_up(lab, amount_cents=2600)
        await auto_top_ups.run(lab.context)
    assert (saved.failures, saved.next_at_us, saved.amount_cents) == (1, lab.clock.us + HOUR_US, 2600)
    assert len(await automatic(lab)) == 1


async def test_one_limit_for_restarts_after_failures_pages_and_changes_of_cards(lab: Paying) -> None:
    """Each of them can have another card charged, so that together they test as few cards as pages do alone."""
    limited = lab.with_settings(sessions_per_hour=5)
    behaves(lab, "declined")
    async with lab.storage.writing() as unit:
        await unit.payments.auto_top_ups.set(AutoTopUp(1, True, 2000, 2500, 6000, failures=3, paused_at_us=1))
    await limited.begin(2500)
    await checkouts.methods_url(limited.context, lab.user, lab.account)
    for _ in range(3):
        assert (await set_up(limited)).failures == 0
        await auto_top_ups.run(limited.context)
        async with lab.storage.writing() as unit:  # as after two more failures, hours later
            await unit.payments.auto_top_ups.set(AutoTopUp(1, True, 2000, 2500, 6000, failures=3, paused_at_us=1))
    for begin in (set_up(limited), limited.begin(2500), checkouts.methods_url(limited.context, lab.user, lab.account)):
        with pytest.raises(ConflictError, match="too many payments"):
            await begin
    known = await auto_top_ups.show(lab.storage, 1)
    assert known is not None and known.paused_at_us == 1 and len(await automatic(lab)) == 3


async def test_success_forgets_the_failures_before(lab: Paying) -> None:
    behaves(lab, "asks")
    await auto_top_ups.run(lab.context)
    behaves(lab, "works")
    lab.clock.us += HOUR_US
    assert await auto_top_ups.run(lab.context) == 1
    known = await auto_top_ups.show(lab.storage, 1)
    assert known is not None and (known.failures, known.next_at_us) == (0, 0)


async def test_user_without_a_saved_method_counts_as_a_failure(lab: Paying) -> None:
    for method in lab.fake.of("payment_method"):
        del lab.fake.things[method["id"]]
    await auto_top_ups.run(lab.context)
    [payment] = await automatic(lab)
    assert (payment.state, payment.failure, lab.fake.charges_made) == (PaymentState.FAILED, "no_method", 0)


async def test_failed_payment_that_stripe_never_saw_is_not_reopened_and_charged(lab: Paying) -> None:
    customer = lab.fake.of("payment_method")[0]["customer"]
    for method in lab.fake.of("payment_method"):
        del lab.fake.things[method["id"]]
    await auto_top_ups.run(lab.context)
    lab.fake.add_method(customer)
    assert (await payment_sweeps.sweep(lab.context, everything=True)).changed == 0
    assert await auto_top_ups.run(lab.context) == 0  # an hour has not passed
    [failed] = await automatic(lab)
    assert (failed.state, failed.failure, lab.fake.charges_made) == (PaymentState.FAILED, "no_method", 0)
    lab.clock.us += DAY_US + 1
    lab.fake.faults.statuses, lab.fake.faults.paths = [500] * 6, "payment_intents"
    await auto_top_ups.run(lab.context)  # leaves one that is not finished, and there may be no second one
    await payment_sweeps.sweep(lab.context, everything=True)
    states = [one.state for one in await automatic(lab)]
    assert states == [PaymentState.OPEN, PaymentState.FAILED]


async def test_customer_with_wrong_tax_details_does_not_keep_others_waiting(
    lab: Paying, caplog: pytest.LogCaptureFixture
) -> None:
    async with lab.storage.writing() as unit:
        ada, bob = await unit.users.get(1), await unit.users.get(2)
        await unit.bill.set_customer(Customer(ada.id, Party(name=ada.name), category=Category.EXEMPT))
    taxed = lab.with_settings(tax="softix")
    lab.fake.add_method(await checkouts.customer_of(taxed.context, bob))
    await auto_top_ups.set_up(
        taxed.context, 2, account=None, threshold_cents=2000, amount_cents=2500, monthly_cap_cents=6000
    )
    assert await auto_top_ups.run(taxed.context) == 1
    assert (await lab.credit_cents(1), await lab.credit_cents(2)) == (0, 2500)
    [record] = [one for one in caplog.records if one.message == "could not begin an automatic top-up"]
    assert (record.__dict__["user"], record.__dict__["error"]) == ("usr_ada", "BadInputError")


async def test_customer_that_is_gone_at_stripe_fails_the_payment_and_blocks_no_later_one(lab: Paying) -> None:
    del lab.fake.things[await checkouts.customer_of(lab.context, lab.user)]
    assert await auto_top_ups.run(lab.context) == 0
    [failed] = await automatic(lab)
    assert (failed.state, failed.failure) == (PaymentState.FAILED, "resource_missing")
    lab.clock.us += HOUR_US
    await lab.begin(2500)
    lab.fake.add_method(await checkouts.customer_of(lab.context, lab.user))
    assert await auto_top_ups.run(lab.context) == 1


async def test_unfinished_payment_of_the_other_mode_blocks_for_a_day_and_is_credited_when_it_was_paid(
    lab: Paying,
) -> None:
    async with lab.storage.writing() as unit:
        live = await checkouts.draft(lab.context, unit, lab.user, PaymentKind.AUTOMATIC, 2500)
        live = await unit.payments.add(replace(live, is_live=True))
    lab.clock.us += DAY_US - 1
    assert await auto_top_ups.run(lab.context) == 0
    lab.clock.us += 1
    assert await auto_top_ups.run(lab.context) == 1
    async with lab.storage.writing() as unit:
        assert (await unit.payments.get(live.id)).state is PaymentState.EXPIRED
        number = await unit.payments.number_fetch(live.id)
        paid = FetchedPayment(state=PaymentState.PAID, total_cents=2500, intent_id="pi_live")
        await payments.take_over(lab.context, unit, payments.PaymentFetch(live.id, number, 0, paid))
    assert await lab.credit_cents() == 5000


async def test_monthly_cap_ends_automatic_top_ups_until_the_next_month(lab: Paying) -> None:
    for expected in (1, 1, 0):
        assert await auto_top_ups.run(lab.context) == expected
        posted_pico = (await lab.storage.reading().balance.get(1)).posted_pico
        if posted_pico:
            await lab.spend(posted_pico // 10**10)
    assert lab.fake.charges_made == 2  # 50.00 of 60.00
    lab.clock.us += 31 * DAY_US
    assert await auto_top_ups.run(lab.context) == 1


async def test_automatic_top_up_that_is_off_or_without_payments_charges_nothing(lab: Paying) -> None:
    assert await auto_top_ups.run(lab.with_settings(automatic=False).context) == 0
    assert await auto_top_ups.run(lab.with_settings(enabled=False).context) == 0
    off = await auto_top_ups.switch_off(lab.storage, 1)
    assert off is not None and not off.enabled
    assert await auto_top_ups.run(lab.context) == 0 and lab.fake.charges_made == 0
    assert await auto_top_ups.switch_off(lab.storage, 2) is None


async def test_automatic_top_up_set_up_before_stripe_tax_charges_nothing_without_tax(lab: Paying) -> None:
    assert await auto_top_ups.run(lab.with_settings(tax="stripe").context) == 0
    assert (lab.fake.charges_made, await automatic(lab)) == (0, [])


async def test_monthly_limit_lowered_after_set_up_binds(lab: Paying) -> None:
    lowered = lab.with_settings(automatic_month="30.00")
    assert await auto_top_ups.run(lowered.context) == 1
    await lab.spend(3500)
    assert await auto_top_ups.run(lowered.context) == 0
    assert await auto_top_ups.run(lab.context) == 1  # 50.00 of the 60.00 that the customer chose
    assert lab.fake.charges_made == 2


async def test_disabled_customer_is_not_charged(lab: Paying) -> None:
    await users.update(lab.storage, "usr_ada", status=UserStatus.DISABLED)
    assert await auto_top_ups.run(lab.context) == 0
    assert (lab.fake.charges_made, await automatic(lab)) == (0, [])
    await users.update(lab.storage, "usr_ada", status=UserStatus.ACTIVE)
    assert await auto_top_ups.run(lab.context) == 1


@pytest.mark.parametrize(
    "changes",
    [{"amount_cents": 499}, {"amount_cents": 50_001}, {"monthly_cap_cents": 2499}, {"monthly_cap_cents": 100_001},
     {"threshold_cents": -1}, {"threshold_cents": 50_001}],
)  # fmt: skip
async def test_limits_of_automatic_top_ups_are_kept(lab: Paying, changes: dict[str, int]) -> None:
    with pytest.raises(BadInputError):
        await set_up(lab, **changes)


async def test_automatic_top_up_needs_a_tax_that_works_without_a_page(lab: Paying) -> None:
    for settings in ({"tax": "stripe"}, {"automatic": False}, {"enabled": False}):
        with pytest.raises(ConflictError):
            await set_up(lab.with_settings(**settings))


async def test_operator_names_the_user_by_id_and_amounts_as_text(lab: Paying) -> None:
    made = await auto_top_ups.set_by_operator(lab.context, "usr_bob", threshold="5", amount="10.00", monthly="100")
    assert made == AutoTopUp(2, True, 500, 1000, 10_000)
    with pytest.raises(BadInputError):
        await auto_top_ups.set_by_operator(lab.context, "bob", threshold="5", amount="10", monthly="100")
    with pytest.raises(BadInputError):
        await auto_top_ups.set_by_operator(lab.context, "usr_bob", threshold="5.001", amount="10", monthly="100")
