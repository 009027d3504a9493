from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.paying import Paying, paying

from softix_proxy.domain.core.errors import BadInputError, ConflictError, NotFoundError
from softix_proxy.domain.ledger.payments import PostingCause
from softix_proxy.domain.ledger.refunds import RefundState
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.domain.ports.payment_gateway import GatewayError
from softix_proxy.operations.ledger import balance, ledger, payments, refunds

START_CENTS = 1000
"""What the wallet has at first. It was paid in elsewhere, so it is no part of any payment here."""


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Paying]:
    async with paying(tmp_path) as made:
        yield made


async def test_requested_refund_is_held_so_that_it_cannot_be_spent_before_the_answer(lab: Paying) -> None:
    """sub2api#5191: refund asked, money spent, then approved."""
    payment = await lab.paid(2500)
    request = await refunds.request(lab.context, payment.public_id, account_id=lab.account.id, user_id=1)
    assert (request.state, request.amount_cents) == (RefundState.REQUESTED, 2500)
    assert await lab.credit_cents() == 0  # it is gone from the balance at once
    assert lab.fake.of("refund") == []
    await lab.spend(START_CENTS)
    answered = await refunds.approve(lab.context, request.public_id)
    assert (answered.state, await lab.credit_cents()) == (RefundState.REFUNDED, -START_CENTS)
    [sent] = lab.fake.of("refund")
    assert (sent["amount"], sent["metadata"]["softix_refund"]) == (2500, request.public_id)


async def test_held_refund_moves_no_cash_until_the_provider_has_it(lab: Paying) -> None:
    payment = await lab.paid(2500)
    request = await refunds.request(lab.context, payment.public_id)
    accounts = {one.name: one.balance_pico for one in await lab.storage.reading().ledger.accounts()}
    assert (accounts["adjustments"], accounts["cash"]) == (25 * 10**12, -45 * 10**12)  # both wallets began with 10
    await refunds.approve(lab.context, request.public_id)
    accounts = {one.name: one.balance_pico for one in await lab.storage.reading().ledger.accounts()}
    assert (accounts["adjustments"], accounts["cash"]) == (0, -20 * 10**12)
    causes = [one.cause for one in await lab.storage.reading().payments.posted(payment.id)]
    assert sorted(causes) == [PostingCause.HOLD, PostingCause.HOLD, PostingCause.PAYMENT, PostingCause.REFUND]
    assert (await ledger.verify(lab.storage)).violations == ()


async def test_refused_refund_is_in_the_balance_again(lab: Paying) -> None:
    payment = await lab.paid(2500)
    request = await refunds.request(lab.context, payment.public_id, net_cents=1000)
    assert await lab.credit_cents() == 1500
    refused = await refunds.refuse(lab.context, request.public_id)
    assert (refused.state, await lab.credit_cents()) == (RefundState.REFUSED, 2500)
    for answer in (refunds.approve, refunds.refuse):
        with pytest.raises(ConflictError, match="refused"):
            await answer(lab.context, request.public_id)


async def test_amount_and_state_of_a_refund_change_in_one_transaction(lab: Paying) -> None:
    """new-api#5556: whoever dies between the two leaves one of them wrong."""
    payment = await lab.paid(2500)
    request = await refunds.request(lab.context, payment.public_id)
    await refunds.approve(lab.context, request.public_id)
    [refund] = lab.fake.of("refund")
    lab.fake.turn_refund(refund["id"], "failed")
    fetch = await payments.begin_fetch(lab.context, payment.id)

    class DiesError(Exception):
        pass

    with pytest.raises(DiesError):
        async with lab.storage.writing() as unit:
            await payments.take_over(lab.context, unit, fetch)
            raise DiesError
    assert (await refunds.find(lab.storage.reading(), request.public_id)).state is RefundState.REFUNDED
    assert await lab.credit_cents() == 0
    await lab.told()
    assert (await refunds.find(lab.storage.reading(), request.public_id)).state is RefundState.FAILED
    assert await lab.credit_cents() == 2500


async def test_only_unused_money_goes_back(lab: Paying) -> None:
    payment = await lab.paid(2500)
    await lab.spend(START_CENTS + 2000)
    with pytest.raises(BadInputError, match=r"at most \$5\.00 of this payment can go back"):
        await refunds.request(lab.context, payment.public_id, net_cents=501)
    assert (await refunds.request(lab.context, payment.public_id)).amount_cents == 500
    with pytest.raises(ConflictError, match=r"nothing of pay_.* is unused"):
        await refunds.request(lab.context, payment.public_id)
    assert (await lab.storage.reading().balance.get(1)).posted_pico == 0


async def test_granted_money_cannot_be_paid_out_by_a_refund(lab: Paying) -> None:
    payment = await lab.paid(2500)
    await lab.spend(START_CENTS + 2500)
    await balance.set_to(lab.storage, "usr_ada", 20 * 10**12, note="goodwill")
    with pytest.raises(ConflictError, match=r"nothing of pay_.* is unused"):
        await refunds.request(lab.context, payment.public_id)


async def test_second_refund_cannot_take_what_the_first_one_holds(lab: Paying) -> None:
    payment = await lab.paid(2500)
    await refunds.request(lab.context, payment.public_id, net_cents=2000)
    with pytest.raises(BadInputError, match=r"\$5\.00"):
        await refunds.request(lab.context, payment.public_id, net_cents=2000)
    assert (await refunds.request(lab.context, payment.public_id)).amount_cents == 500


async def test_refund_of_a_taxed_payment_gives_the_tax_back_too(lab: Paying) -> None:
    payment = await lab.with_settings(tax="stripe").paid(2500)
    half = await refunds.request(lab.context, payment.public_id, net_cents=1250, approved=True)
    assert half.amount_cents in (1487, 1488)  # half of 29.75
    assert await lab.credit_cents() in (1250, 1251)
    rest = await refunds.request(lab.context, payment.public_id, approved=True)
    assert half.amount_cents + rest.amount_cents == 2975
    assert await lab.credit_cents() == 0


async def test_refund_that_waits_at_the_provider_stays_out_of_the_balance_and_comes_back_if_it_fails(
    lab: Paying,
) -> None:
    payment = await lab.paid(2500)
    assert payment.intent_id is not None
    waiting = lab.fake.send_back(payment.intent_id, 2500, status="pending")
    await lab.told()
    assert await lab.credit_cents() == 0
    lab.fake.turn_refund(waiting["id"], "canceled")
    await lab.told()
    assert await lab.credit_cents() == 2500


async def test_interrupted_refund_is_sent_once_by_the_job(lab: Paying) -> None:
    payment = await lab.paid(2500)
    request = await refunds.request(lab.context, payment.public_id)
    lab.fake.faults.statuses, lab.fake.faults.paths = [500] * 3, "refunds"
    with pytest.raises(GatewayError):
        await refunds.approve(lab.context, request.public_id)
    assert (await refunds.find(lab.storage.reading(), request.public_id)).state is RefundState.APPROVED
    assert await lab.credit_cents() == 0
    lab.fake.faults.cut, lab.fake.faults.paths = 3, "refunds"  # it is made, and nobody hears of it
    assert await refunds.send_approved(lab.context) == 0
    lab.fake.faults.cut = 0
    lab.fake.keys.clear()  # a day later, the provider has forgotten the idempotency key
    assert await refunds.send_approved(lab.context) == 1
    assert len(lab.fake.of("refund")) == 1 and await lab.credit_cents() == 0


async def test_approved_refund_of_money_that_went_back_already_fails_and_holds_nothing(lab: Paying) -> None:
    payment = await lab.paid(2500)
    request = await refunds.request(lab.context, payment.public_id)
    lab.fake.send_back(payment.intent_id or "", 2500)  # an operator was quicker, in the dashboard
    answered = await refunds.approve(lab.context, request.public_id)
    assert (answered.state, await lab.credit_cents()) == (RefundState.FAILED, 0)
    assert len(lab.fake.of("refund")) == 1 and await refunds.send_approved(lab.context) == 0


async def test_refund_of_a_payment_of_another_user_is_not_found(lab: Paying) -> None:
    payment = await lab.paid(2500)
    with pytest.raises(NotFoundError):
        await refunds.request(lab.context, payment.public_id, user_id=2)
    with pytest.raises(NotFoundError):
        await refunds.request(lab.context, "pay_nobody")
    with pytest.raises(NotFoundError):
        await refunds.approve(lab.context, "rfd_nobody")


async def test_refund_of_what_was_not_paid_is_refused(lab: Paying) -> None:
    payment = await lab.payment(await lab.begin(2500))
    with pytest.raises(ConflictError, match="is open"):
        await refunds.request(lab.context, payment.public_id)
    with pytest.raises(BadInputError):
        await refunds.request(lab.context, payment.public_id, net_cents=0)


async def test_person_is_told_of_a_refund_once_it_is_made(lab: Paying) -> None:
    payment = await lab.paid(2500)
    request = await refunds.request(lab.context, payment.public_id)
    assert NoticeKind.REFUNDED not in [one.kind for one in await lab.notices()]
    await refunds.approve(lab.context, request.public_id)
    [told] = [one for one in await lab.notices() if one.kind is NoticeKind.REFUNDED]
    assert told.email == "ada@example.org" and told.values["amount"].startswith("$25.00")
    [listed] = await refunds.list_all(lab.storage, RefundState.REFUNDED, 1)
    assert listed.public_id == request.public_id and await refunds.list_all(lab.storage, None, 2) == []
