"""The pages about money on the real listener, with the real SDK and the fake Stripe behind them."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from support.portal import organisation
from support.till import MARK, Till

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.billing.seller import Billing
from softix_proxy.domain.organisations.organisations import Membership
from softix_proxy.exports.billing.bill_pdf import shipped_fonts
from softix_proxy.operations.billing import bill
from softix_proxy.operations.ledger import refunds


async def test_person_pays_comes_back_signed_in_and_has_the_money_and_its_receipt(till: Till) -> None:
    await till.paid("25")
    assert await till.balance_cents() == 2500
    page = await till.portal.get("/billing", token=till.token)
    assert "Test mode: no money moves." in page.text and MARK not in page.text
    assert re.findall(r'href="(/billing/documents/[^"]+)"', page.text) == [
        f"/billing/documents/RCT-2027-00001.{form}" for form in ("pdf", "html", "pdf")
    ]
    assert "receipt" in await till.portal.kinds()


async def test_page_of_the_balance_says_the_mode_without_a_connection_to_stripe(till: Till) -> None:
    assert "Test mode: no money moves." in (await till.portal.get("/billing", token=till.token)).text
    assert till.service._gateway is None


@pytest.mark.parametrize(
    ("form", "begins", "kind"),
    [
        ("html", b"<!doctype html>", "text/html"),
        ("pdf", b"%PDF-", "application/pdf"),
        ("xml", b"<?xml", "application/xml"),
    ],
)
async def test_document_is_sent_in_each_form(till: Till, form: str, begins: bytes, kind: str) -> None:
    settings = till.portal.context.settings
    till.service.settings = replace(
        settings,
        payments=replace(settings.payments, tax="stripe"),
        billing=replace(settings.billing, seller_country="DE", seller_vat_id="DE123456789", seller_city="Berlin"),
    )
    await bill.set_customer(till.portal.storage, Billing(), till.own.public_id, country="DE", city="Berlin")
    await till.paid()
    headers = {"Host": till.portal.context.url.authority, "Cookie": f"__Host-softix={till.token}"}
    url = f"{till.portal.url}/billing/documents/RCT-2027-00001.{form}"
    async with till.portal.session.get(url, headers=headers) as answer:
        assert answer.status == 200 and answer.headers["Content-Type"].startswith(kind)
        assert (await answer.read()).lower().startswith(begins.lower())


async def test_pdf_of_a_customer_has_the_font_of_the_settings(till: Till) -> None:
    settings = till.portal.context.settings
    bold = shipped_fonts().bold
    till.portal.context.settings = replace(settings, billing=replace(settings.billing, pdf_font=bold))
    await till.paid()
    headers = {"Host": till.portal.context.url.authority, "Cookie": f"__Host-softix={till.token}"}
    url = f"{till.portal.url}/billing/documents/RCT-2027-00001.pdf"
    async with till.portal.session.get(url, headers=headers) as answer:
        made = await answer.read()
    assert set(re.findall(rb"/BaseFont /\w+\+(\w+)", made)) == {b"RobotoMedium"}  # and not the shipped Roboto


async def test_document_payment_and_refund_of_a_stranger_do_not_exist(till: Till) -> None:
    payment = await till.paid()
    bob = await till.portal.account("bob@example.org")
    await organisation(till.portal, "babbage", bob)
    token = await till.portal.sign_in(bob, "b0b")
    for path in ("/billing/documents/RCT-2027-00001.html", f"/billing/refunds?payment={payment}"):
        assert (await till.portal.get(path, token=token)).status == 404
        assert (await till.portal.get(path, token=till.token)).status == 200
    form = {"payment": payment, "amount": "5"}
    assert (await till.portal.post("/billing/refunds", form, token=token)).status == 404
    page = await till.portal.get(f"/billing?payment={payment}", token=token)
    assert page.status == 200 and "Thank you" not in page.text
    assert await till.balance_cents() == 2500


@pytest.mark.parametrize(
    ("role", "sees", "pays"),
    [
        (OrganisationRole.OWNER, 200, 200),
        (OrganisationRole.ADMIN, 200, 200),
        (OrganisationRole.BILLING, 200, 200),
        (OrganisationRole.MEMBER, 404, 404),
        (OrganisationRole.VIEWER, 404, 404),
    ],
)
async def test_pages_about_money_are_for_those_who_may(
    till: Till, role: OrganisationRole, sees: int, pays: int
) -> None:
    eve = await till.portal.account("eve@example.org")
    async with till.portal.storage.writing() as unit:
        await unit.memberships.add(Membership(eve.id, till.own.id, role, 1))
    token = await till.portal.sign_in(eve, "eve")
    assert (await till.portal.get("/billing", token=token)).status == sees
    for path in ("/billing/top-up", "/billing/auto-top-up"):
        assert (await till.portal.get(path, token=token)).status == pays
    got = await till.portal.post("/billing/top-up", {"amount": "25"}, token=token)
    assert got.status == (303 if pays == 200 else 404)


@pytest.mark.parametrize("amount", ["", "abc", "4.99", "500.01", "-5", "5,00", "1e3", "25.001", "9999999"])
async def test_wrong_amount_shows_the_form_again_and_begins_nothing(till: Till, amount: str) -> None:
    got = await till.portal.post("/billing/top-up", {"amount": amount}, token=till.token)
    assert got.status == 400 and 'role="alert"' in got.text
    assert till.fake.of("checkout.session") == []


async def test_form_may_lead_to_stripe_and_to_nothing_else(till: Till) -> None:
    """Without it, browsers block the redirect: `form-action 'self'` covers redirects too."""
    got = await till.portal.get("/billing/top-up", token=till.token)
    policy = got.headers["Content-Security-Policy"]
    assert f"form-action 'self' {till.fake.base_url}" in policy
    settings = till.portal.context.settings
    till.portal.context.settings = replace(settings, payments=replace(settings.payments, api_base=None))
    policy = (await till.portal.get("/billing/top-up", token=till.token)).headers["Content-Security-Policy"]
    assert "form-action 'self' https://checkout.stripe.com https://billing.stripe.com" in policy


async def test_person_manages_cards_on_stripes_page(till: Till) -> None:
    got = await till.portal.post("/billing/methods", token=till.token)
    assert got.status == 303 and got.location.startswith(f"{till.fake.base_url}/manage/")


async def test_page_for_cards_counts_as_a_payment_and_too_many_are_refused_on_the_page(till: Till) -> None:
    settings = till.service.settings
    till.service.settings = replace(settings, payments=replace(settings.payments, sessions_per_hour=2))
    await till.begin()
    assert (await till.portal.post("/billing/methods", token=till.token)).status == 303
    got = await till.portal.post("/billing/methods", token=till.token)
    assert got.status == 409 and "Too many payments or changes of cards were begun." in got.text


async def test_automatic_top_up_is_switched_on_changed_and_off(till: Till) -> None:
    form = {"threshold": "5", "amount": "25.00", "cap": "100", "what": "on"}
    assert (await till.portal.post("/billing/auto-top-up", form, token=till.token)).location == "/billing"
    page = await till.portal.get("/billing", token=till.token)
    assert "Below $5.00, $25.00 are added automatically, up to $100.00 a month." in page.text
    wrong = await till.portal.post("/billing/auto-top-up", {**form, "cap": "10"}, token=till.token)
    assert wrong.status == 400 and "monthly limit" in wrong.text
    assert (await till.portal.post("/billing/auto-top-up", {"what": "off"}, token=till.token)).status == 303
    known = await till.portal.storage.reading().payments.auto_top_ups.get(till.own.id)
    assert known is not None and not known.enabled


async def test_person_asks_for_a_refund_and_the_operators_answer_is_shown(till: Till) -> None:
    payment = await till.paid()
    page = await till.portal.get(f"/billing/refunds?payment={payment}", token=till.token)
    assert "$25.00 of this payment are unused" in page.text
    too_much = await till.portal.post("/billing/refunds", {"payment": payment, "amount": "25.01"}, token=till.token)
    assert too_much.status == 400
    asked = await till.portal.post("/billing/refunds", {"payment": payment, "amount": "10"}, token=till.token)
    assert (asked.status, await till.balance_cents()) == (303, 1500)
    assert "Waiting for an answer" in (await till.portal.get("/billing", token=till.token)).text
    [request] = await refunds.list_all(till.portal.storage, None, till.own.id)
    await refunds.approve(await till.service.context(), request.public_id)
    page = await till.portal.get("/billing", token=till.token)
    assert "Paid back" in page.text and "CRN-2027-00001" in page.text


async def test_refund_page_says_that_automatic_top_up_pauses_and_that_page_says_why(till: Till) -> None:
    payment = await till.paid()
    warning = "Automatic top-up is paused then"
    assert warning not in (await till.portal.get(f"/billing/refunds?payment={payment}", token=till.token)).text
    form = {"threshold": "5", "amount": "25.00", "cap": "100", "what": "on"}
    await till.portal.post("/billing/auto-top-up", form, token=till.token)
    assert warning in (await till.portal.get(f"/billing/refunds?payment={payment}", token=till.token)).text
    await till.portal.post("/billing/refunds", {"payment": payment, "amount": "1"}, token=till.token)
    reason = "because money of a payment went back"
    assert reason in (await till.portal.get("/billing/auto-top-up", token=till.token)).text
    page = (await till.portal.get("/billing", token=till.token)).text
    assert reason in page and 'href="/billing/auto-top-up">Change the automatic top-up' in page
    await till.portal.post("/billing/auto-top-up", form, token=till.token)
    for path in ("/billing", "/billing/auto-top-up"):
        assert reason not in (await till.portal.get(path, token=till.token)).text


async def test_pages_without_payments_show_the_balance_and_offer_nothing(till: Till) -> None:
    till.portal.context.payments = None
    page = await till.portal.get("/billing", token=till.token)
    assert page.status == 200 and "/billing/top-up" not in page.text
    assert (await till.portal.get("/billing/top-up", token=till.token)).status == 404
    assert (await till.portal.post("/webhooks/stripe", b"{}")).status == 503


async def test_refunds_that_are_switched_off_cannot_be_asked_for(till: Till) -> None:
    payment = await till.paid()
    settings = till.portal.context.settings
    till.portal.context.settings = replace(settings, payments=replace(settings.payments, refunds="off"))
    assert (await till.portal.get(f"/billing/refunds?payment={payment}", token=till.token)).status == 404
    form = {"payment": payment, "amount": "5"}
    assert (await till.portal.post("/billing/refunds", form, token=till.token)).status == 404
    assert "Ask for a refund" not in (await till.portal.get("/billing", token=till.token)).text


async def test_webhook_on_the_listener_credits_without_a_cookie_and_takes_256_kib(till: Till) -> None:
    till.fake.pay(await till.begin())
    body, signature = till.fake.signed(till.fake.events[-1])
    sent = {"Stripe-Signature": signature, "Content-Type": "application/json", "Sec-Fetch-Site": "cross-site"}
    assert (await till.portal.ask("POST", "/webhooks/stripe", headers=sent, data=body)).status == 200
    assert await till.balance_cents() == 2500
    large = b" " * (256 * 1024)
    assert (await till.portal.ask("POST", "/webhooks/stripe", headers=sent, data=large)).status == 400
    assert (await till.portal.ask("POST", "/webhooks/stripe", headers=sent, data=large + b" ")).status == 413


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        ("12.3.4", "Write an amount in US dollars, such as 25.00."),
        ("30.00", "At most $25.00 of this payment can go back."),
    ],
)
async def test_refund_form_with_a_mistake_keeps_the_amount_and_says_what_to_write(
    till: Till, amount: str, said: str
) -> None:
    payment = await till.paid("25")
    refused = await till.portal.post("/billing/refunds", {"payment": payment, "amount": amount}, token=till.token)
    assert refused.status == 400 and said in refused.text and f'value="{amount}"' in refused.text


async def test_what_a_person_does_about_money_is_in_the_audit(till: Till) -> None:
    payment = await till.paid()
    form = {"threshold": "5", "amount": "25.00", "cap": "100", "what": "on"}
    assert (await till.portal.post("/billing/auto-top-up", form, token=till.token)).status == 303
    assert (
        await till.portal.post("/billing/refunds", {"payment": payment, "amount": "5"}, token=till.token)
    ).status == 303
    entries = await till.portal.storage.reading().audit.page(None, 20)
    assert {entry.action for entry in entries} >= {"payments.top-up", "payments.set-auto-top-up", "payments.ask-refund"}
    assert {(entry.actor_kind, entry.channel) for entry in entries} == {("account", "portal")}
    [asked] = [entry for entry in entries if entry.action == "payments.ask-refund"]
    assert payment in asked.changes
