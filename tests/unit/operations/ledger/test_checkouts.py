from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.paying import SELLER, Paying, paying

from softix_proxy.domain.billing.seller import Billing
from softix_proxy.domain.core.errors import BadInputError, ConflictError
from softix_proxy.domain.ledger.payments import PaymentState
from softix_proxy.domain.ports.payment_gateway import GatewayError
from softix_proxy.operations.access import users
from softix_proxy.operations.billing import bill
from softix_proxy.operations.ledger import checkouts, payment_sweeps, payments

HOUR_US = 3600 * 10**6


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Paying]:
    async with paying(tmp_path) as made:
        yield made


async def test_page_asks_for_the_amount_in_dollars_and_comes_back_to_the_public_url(lab: Paying) -> None:
    session = lab.fake.things[await lab.begin(2500, saves_method=True)]
    payment = await lab.payment(session["id"])
    assert (session["currency"], session["amount_total"]) == ("usd", 2500)
    assert session["success_url"] == f"https://portal.example.org/billing?payment={payment.public_id}"
    assert session["metadata"] == {"softix_payment": payment.public_id}
    assert session["payment_intent_data"]["setup_future_usage"] == "off_session"
    assert (payment.state, payment.asked_cents, payment.is_live) == (PaymentState.OPEN, 2500, False)


async def test_two_customers_are_never_made_for_one_account(lab: Paying) -> None:
    """llmgateway#3033."""
    made = await asyncio.gather(*(checkouts.customer_of(lab.context, lab.user) for _ in range(5)))
    assert len(set(made)) == 1 and len(lab.fake.of("customer")) == 1
    assert await checkouts.customer_of(lab.context, lab.user) == made[0]
    [customer] = lab.fake.of("customer")
    assert customer["metadata"] == {"softix_user": "usr_ada"}


async def test_customer_of_the_provider_has_the_name_that_people_see(lab: Paying) -> None:
    await users.update(lab.context.storage, "usr_ada", display_name="The Works")
    await checkouts.customer_of(lab.context, lab.user)
    assert [customer["name"] for customer in lab.fake.of("customer")] == ["The Works"]


async def test_customer_whose_making_was_interrupted_is_the_same_afterwards(lab: Paying) -> None:
    lab.fake.faults.cut, lab.fake.faults.paths = 3, "customers"
    with pytest.raises(GatewayError):
        await checkouts.customer_of(lab.context, lab.user)
    lab.fake.faults.cut = 0
    await checkouts.customer_of(lab.context, lab.user)
    assert len(lab.fake.of("customer")) == 1


async def test_account_begins_at_most_five_payments_an_hour(lab: Paying) -> None:
    """opencode#45007: stolen cards were tested by the hundred."""
    limited = lab.with_settings(sessions_per_hour=5)
    for _ in range(5):
        await limited.begin(2500)
    with pytest.raises(ConflictError, match="too many payments"):
        await limited.begin(2500)
    assert len(lab.fake.of("checkout.session")) == 5
    lab.clock.us += HOUR_US // 5
    await limited.begin(2500)


async def test_account_with_an_unverified_address_cannot_pay(lab: Paying) -> None:
    unverified = replace(lab, account=replace(lab.account, verified_at_us=None))
    with pytest.raises(ConflictError, match="not verified"):
        await unverified.begin(2500)
    assert lab.fake.requests == []


@pytest.mark.parametrize("cents", [0, -2500, 499, 50_001])
async def test_amount_outside_the_limits_is_refused_before_stripe_is_asked(lab: Paying, cents: int) -> None:
    with pytest.raises(BadInputError, match=r"from \$5\.00 to \$500\.00"):
        await lab.begin(cents)
    assert lab.fake.requests == [] and await payments.list_all(lab.storage, None, 9) == []


async def test_postpaid_or_disabled_customers_and_switched_off_payments_are_refused(lab: Paying) -> None:
    with pytest.raises(ConflictError, match="invoices"):
        await replace(lab, user=replace(lab.user, postpaid=True)).begin()
    with pytest.raises(ConflictError, match="switched off"):
        await lab.with_settings(enabled=False).begin()


async def test_tax_by_own_rates_is_a_line_of_its_own_and_not_credited(tmp_path: Path) -> None:
    taxed = replace(SELLER, tax_category="S", tax_rate="19")
    async with paying(tmp_path, billing=taxed, tax="softix") as lab:
        await bill.set_customer(lab.storage, Billing(), "usr_ada", country="DE")
        session_id = await lab.begin(2500)
        session = lab.fake.things[session_id]
        assert session["amount_total"] == 2975
        assert [line["product_data"]["name"] for line in session["line_items_sent"]] == ["Prepaid credit", "Tax 19%"]
        lab.fake.pay(session_id)
        await lab.told()
        payment = await lab.payment(session_id)
        assert (payment.paid_cents, payment.tax_cents, await lab.credit_cents()) == (2975, 475, 2500)


async def test_stripe_tax_is_asked_for_with_the_address(lab: Paying) -> None:
    session = lab.fake.things[await lab.with_settings(tax="stripe", tax_code="txcd_10103001").begin(2500)]
    assert session["total_details"]["amount_tax"] == 475
    assert session["line_items_sent"][0]["product_data"]["tax_code"] == "txcd_10103001"


async def test_page_that_stripe_did_not_open_leaves_a_row_that_gives_nothing(lab: Paying) -> None:
    lab.fake.faults.cut, lab.fake.faults.paths = 3, "checkout/sessions"
    with pytest.raises(GatewayError):
        await lab.begin(2500)
    lab.fake.faults.cut = 0
    [session] = lab.fake.of("checkout.session")  # Stripe has it, and nobody heard of it
    await payment_sweeps.sweep(lab.context)
    assert (await lab.payment(session["id"])).state is PaymentState.OPEN


async def test_page_for_payment_methods_is_of_the_users_own_customer(lab: Paying) -> None:
    url = await checkouts.methods_url(lab.context, lab.user, lab.account)
    opened = lab.fake.things[url.rpartition("/")[2]]
    assert opened["customer"] == await checkouts.customer_of(lab.context, lab.user)
    assert opened["return_url"] == "https://portal.example.org/billing"


async def test_customer_that_is_gone_at_stripe_is_made_anew_once(lab: Paying) -> None:
    first = await checkouts.customer_of(lab.context, lab.user)
    del lab.fake.things[first]
    session = lab.fake.things[await lab.begin(2500)]
    second = await checkouts.customer_of(lab.context, lab.user)
    assert session["customer"] == second != first
    del lab.fake.things[second]
    url = await checkouts.methods_url(lab.context, lab.user, lab.account)
    third = await checkouts.customer_of(lab.context, lab.user)
    assert lab.fake.things[url.rpartition("/")[2]]["customer"] == third not in (first, second)
    assert len(lab.fake.of("customer")) == 1


async def test_payment_whose_customer_is_gone_expires_like_any_that_stripe_does_not_know(lab: Paying) -> None:
    lab.fake.faults.statuses, lab.fake.faults.paths = [500] * 3, "checkout/sessions"
    with pytest.raises(GatewayError):
        await lab.begin(2500)
    del lab.fake.things[await checkouts.customer_of(lab.context, lab.user)]
    lab.clock.us += 25 * HOUR_US
    assert (await payment_sweeps.sweep(lab.context)).failed == 0
    [payment] = await payments.list_all(lab.storage, None, 9)
    assert payment.state is PaymentState.EXPIRED


async def test_other_refusal_of_stripe_keeps_the_customer_and_its_cards(lab: Paying) -> None:
    first = await checkouts.customer_of(lab.context, lab.user)
    lab.fake.faults.statuses, lab.fake.faults.paths = [400], "checkout/sessions"
    with pytest.raises(GatewayError):
        await lab.begin(2500)
    assert await checkouts.customer_of(lab.context, lab.user) == first
