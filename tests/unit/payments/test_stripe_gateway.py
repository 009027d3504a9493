"""The real SDK against the fake Stripe, over real HTTP."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from stripe import _util
from support.fake_stripe import FakeStripe

from softix_proxy.domain.ledger.payments import OnlinePayment, PaymentKind, PaymentState
from softix_proxy.domain.ports.payment_gateway import (
    DeclinedError,
    EventHint,
    GatewayAccount,
    GatewayError,
    PaymentOrder,
    RightMissingError,
)
from softix_proxy.payments.stripe_gateway import StripeGateway, opened_gateway

PAYMENT = OnlinePayment(
    id=1,
    public_id="pay_1",
    user_id=1,
    kind=PaymentKind.CHECKOUT,
    state=PaymentState.OPEN,
    asked_cents=2500,
    asked_tax_cents=0,
    is_live=False,
    created_at_us=0,
)
MARKED = "Mallory-the-marked"


@pytest.fixture
async def gateway(fake_stripe: FakeStripe) -> AsyncIterator[StripeGateway]:
    async with opened_gateway(fake_stripe.secret_key, api_base=fake_stripe.base_url, timeout_s=2) as opened:
        yield opened


async def order(gateway: StripeGateway, payment: OnlinePayment = PAYMENT) -> PaymentOrder:
    customer_id = await gateway.make_customer(f"claim-{payment.public_id}", "Ada", "ada@example.org", "usr_ada")
    return PaymentOrder(payment, customer_id, "Prepaid credit", return_url="https://portal.example.org/billing")


async def test_sdk_writes_nothing_into_the_home_folder(
    gateway: StripeGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It makes `~/.config/stripe/telemetry_id` with the first request, unless it is told not to before."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    assert (await gateway.account()).can_charge
    assert list(tmp_path.rglob("*")) == [] and os.environ["HOME"] == str(tmp_path)


async def test_connections_are_closed_at_the_end(fake_stripe: FakeStripe) -> None:
    async with opened_gateway(fake_stripe.secret_key, api_base=fake_stripe.base_url) as opened:
        account = await opened.account()
        session = opened._api._requestor._client._session  # type: ignore[union-attr] # what has to be closed is the SDK's own
    assert session.closed and (account.default_currency, account.is_live) == ("usd", False)


async def test_unknown_payment_is_open_and_an_opened_page_is_found_by_its_metadata(
    fake_stripe: FakeStripe, gateway: StripeGateway
) -> None:
    wanted = await order(gateway)
    assert (await gateway.fetch(PAYMENT, wanted.customer_id)).state is PaymentState.OPEN
    assert (await gateway.fetch(PAYMENT, None)).session_id is None
    session_id, url = await gateway.open_checkout(wanted)
    assert url == f"{fake_stripe.base_url}/pay/{session_id}"
    found = await gateway.fetch(PAYMENT, wanted.customer_id)
    assert (found.state, found.session_id, found.intent_id) == (PaymentState.OPEN, session_id, None)
    again, _ = await gateway.open_checkout(wanted)
    assert again == session_id and len(fake_stripe.of("checkout.session")) == 1


async def test_more_refunds_than_one_page_are_all_fetched(fake_stripe: FakeStripe, gateway: StripeGateway) -> None:
    session_id, _ = await gateway.open_checkout(await order(gateway))
    intent = fake_stripe.pay(session_id)
    for _ in range(103):
        fake_stripe.send_back(intent["id"], 1)
    found = await gateway.fetch(replace(PAYMENT, session_id=session_id), None)
    assert len(found.refunds) == 103 and found.total_cents == 2500


async def test_declined_charge_raises_and_the_payment_says_why(fake_stripe: FakeStripe, gateway: StripeGateway) -> None:
    payment = replace(PAYMENT, kind=PaymentKind.AUTOMATIC)
    wanted = await order(gateway, payment)
    with pytest.raises(DeclinedError, match="no saved payment method"):
        await gateway.charge(wanted)
    fake_stripe.add_method(wanted.customer_id, "declined")
    with pytest.raises(DeclinedError) as caught:
        await gateway.charge(wanted)
    assert caught.value.code == "insufficient_funds"
    found = await gateway.fetch(payment, wanted.customer_id)
    assert (found.state, found.failure) == (PaymentState.FAILED, "insufficient_funds")


async def test_chosen_method_comes_before_the_newest(fake_stripe: FakeStripe, gateway: StripeGateway) -> None:
    payment = replace(PAYMENT, kind=PaymentKind.AUTOMATIC)
    wanted = await order(gateway, payment)
    chosen = fake_stripe.add_method(wanted.customer_id)
    fake_stripe.add_method(wanted.customer_id, "declined")
    fake_stripe.things[wanted.customer_id]["invoice_settings"]["default_payment_method"] = chosen["id"]
    await gateway.charge(wanted)
    assert fake_stripe.charges_made == 1


async def test_request_is_tried_again_with_the_same_key_after_a_fault(
    fake_stripe: FakeStripe, gateway: StripeGateway
) -> None:
    fake_stripe.faults.statuses = [500, 500]
    wanted = await order(gateway)
    assert wanted.customer_id.startswith("cus_")
    assert fake_stripe.requests.count(("POST", "customers")) == 3 and len(fake_stripe.of("customer")) == 1


async def test_errors_and_logs_hold_nothing_of_what_was_sent_or_answered(
    fake_stripe: FakeStripe, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    _util.STRIPE_LOG = "debug"  # as the variable of the environment sets it
    fake_stripe.faults.statuses = [400]
    async with opened_gateway(fake_stripe.secret_key, api_base=fake_stripe.base_url) as gateway:
        with pytest.raises(GatewayError) as caught:
            await gateway.make_customer("claim", MARKED, "mallory@example.org", "usr_m")
    error = caught.value
    chain = [repr(error), str(error), str(error.args), repr(error.__cause__)]
    assert error.__cause__ is None and error.__suppress_context__
    told = capfd.readouterr()
    assert not [text for text in (*chain, *told, caplog.text) if MARKED in text or fake_stripe.secret_key in text]
    assert "req_fake" in error.message


@pytest.mark.parametrize("fault", ["silence", "cut", "rubbish"])
async def test_every_way_to_fail_becomes_a_gateway_error(fake_stripe: FakeStripe, fault: str) -> None:
    base = fake_stripe.base_url if fault != "rubbish" else f"{fake_stripe.base_url}/pay"
    async with opened_gateway(fake_stripe.secret_key, api_base=base, timeout_s=0.2) as opened:
        if fault == "silence":
            fake_stripe.faults.hold = asyncio.Event()
        if fault == "cut":
            fake_stripe.faults.cut = 9
        with pytest.raises(GatewayError):
            await opened.make_customer("claim", "Ada", "ada@example.org", "usr_ada")
        if fake_stripe.faults.hold is not None:
            fake_stripe.faults.hold.set()


async def test_wrong_key_is_named_without_the_key(fake_stripe: FakeStripe) -> None:
    wrong = f"sk_test_{secrets.token_hex(16)}"
    async with opened_gateway(wrong, api_base=fake_stripe.base_url) as opened:
        with pytest.raises(GatewayError, match="did not accept the key") as caught:
            await opened.account()
    assert wrong not in f"{caught.value!r} {caught.value.remedy}"


RESTRICTED = f"rk_test_{secrets.token_hex(16)}"


async def test_restricted_key_that_may_not_look_up_the_account_leaves_it_unknown(fake_stripe: FakeStripe) -> None:
    """There is no right that lets a restricted key do it."""
    fake_stripe.secret_key, fake_stripe.faults.forbidden = RESTRICTED, {"account"}
    async with opened_gateway(RESTRICTED, api_base=fake_stripe.base_url) as opened:
        assert await opened.account() == GatewayAccount("", False, None, "", "")
        with pytest.raises(GatewayError):
            await opened.owner(EventHint("evt_1", False, None, "pi_unknown"))


async def test_shortened_answer_about_the_account_is_unknown_to_a_restricted_key_only(fake_stripe: FakeStripe) -> None:
    fake_stripe.faults.hidden = {"charges_enabled", "default_currency"}
    for key, can_charge in ((RESTRICTED, None), (fake_stripe.secret_key, False)):
        fake_stripe.secret_key = key
        async with opened_gateway(key, api_base=fake_stripe.base_url) as opened:
            assert await opened.account() == GatewayAccount("acct_fake", False, can_charge, "", "US")


async def test_full_key_without_a_right_is_refused(fake_stripe: FakeStripe, gateway: StripeGateway) -> None:
    fake_stripe.faults.forbidden = {"account"}
    with pytest.raises(RightMissingError, match="no right to look up the account"):
        await gateway.account()


async def test_events_are_listed_from_a_time_on_the_oldest_first(
    fake_stripe: FakeStripe, gateway: StripeGateway
) -> None:
    session_id, _ = await gateway.open_checkout(await order(gateway))
    intent = fake_stripe.pay(session_id)
    since_us = (fake_stripe.now_s() - 60) * 10**6
    hints = [hint async for hint in gateway.events(since_us)]
    assert [(hint.session_id, hint.intent_id) for hint in hints] == [(None, intent["id"]), (session_id, intent["id"])]
    assert [hint async for hint in gateway.events(since_us + 10**9)] == []


async def test_owner_of_an_event_is_what_stripe_itself_has_in_the_metadata(
    fake_stripe: FakeStripe, gateway: StripeGateway
) -> None:
    session_id, _ = await gateway.open_checkout(await order(gateway))
    intent = fake_stripe.pay(session_id)
    assert await gateway.owner(EventHint("evt_1", False, session_id)) == "pay_1"
    assert await gateway.owner(EventHint("evt_1", False, None, intent["id"])) == "pay_1"
    assert await gateway.owner(EventHint("evt_1", False)) is None
    with pytest.raises(GatewayError):
        await gateway.owner(EventHint("evt_1", False, None, "pi_unknown"))


async def test_webhook_is_made_with_the_events_that_are_handled(
    fake_stripe: FakeStripe, gateway: StripeGateway
) -> None:
    secret = await gateway.make_webhook("https://portal.example.org/webhooks/stripe")
    [made] = [thing for thing in fake_stripe.things.values() if thing["object"] == "webhook_endpoint"]
    assert secret == fake_stripe.webhook_secret and made["url"].endswith("/webhooks/stripe")
    assert {"checkout.session.completed", "charge.refunded", "charge.dispute.funds_withdrawn"} <= set(
        made["enabled_events"]
    )


async def test_page_for_cards_is_stripes(fake_stripe: FakeStripe, gateway: StripeGateway) -> None:
    wanted = await order(gateway)
    url = await gateway.portal_url(wanted.customer_id, "https://portal.example.org/billing")
    assert url.startswith(f"{fake_stripe.base_url}/manage/")
    with pytest.raises(GatewayError, match="was not paid"):
        await gateway.refund(PAYMENT, "rfd_1", 5)
