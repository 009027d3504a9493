"""Payments from the browser to the balance: the real daemon, the real SDK, a real Chromium, and the fake Stripe."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from support.browser import NARROW, WIDE, Visit, chromium, visiting
from support.daemon import Instance
from support.fake_stripe import FakeStripe, Thing, serving_stripe
from support.portal_daemon import free_port

from softix_proxy import assembly
from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.accounts.accounts import Account, AccountStatus
from softix_proxy.domain.billing.seller import Billing
from softix_proxy.domain.organisations.organisations import Membership
from softix_proxy.operations.access import users
from softix_proxy.operations.billing import bill

PASSWORD = secrets.token_urlsafe(16)
NEVER_S = "100000"


@dataclass
class Shop:
    instance: Instance
    fake: FakeStripe
    url: str
    settings: dict[str, str]

    def balance(self) -> str:
        shown: dict[str, str] = self.instance.cli("balance", "show", "ada@example.org")
        return shown["balance"]

    async def balance_becomes(self, amount: str) -> None:
        async with asyncio.timeout(30):
            while await asyncio.to_thread(self.balance) != amount:  # this loop serves the fake
                await asyncio.sleep(0.1)  # another process posts it, which gives no event

    def kinds(self) -> list[str]:
        return [str(one["kind"]) for one in self.instance.cli("bill", "list")]


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with serving_stripe(FakeStripe()) as fake:
        instance, port = Instance(tmp_path), free_port()
        await assembly.initialise(instance.settings)
        url = f"http://localhost:{port}"
        fake.webhook_url = f"{url}/webhooks/stripe"
        settings = {
            "SOFTIX_PORTAL_ENABLED": "true",
            "SOFTIX_PORTAL_PORT": str(port),
            "SOFTIX_PORTAL_PUBLIC_URL": url,
            "SOFTIX_PAYMENTS_ENABLED": "true",
            "SOFTIX_PAYMENTS_API_BASE": fake.base_url,
            "SOFTIX_PAYMENTS_SWEEP_S": NEVER_S,
            "SOFTIX_PAYMENTS_AUTOMATIC_POLL_S": NEVER_S,
            "SOFTIX_BILLING_SELLER_NAME": "Example GmbH",
        }
        await _people(instance)
        key, secret = tmp_path / "stripe.key", tmp_path / "webhook.secret"
        key.write_text(fake.secret_key)
        secret.write_text(fake.webhook_secret)
        given = ("--key-file", str(key), "--webhook-secret-file", str(secret))
        done = await asyncio.to_thread(instance.cli, "payments", "setup", *given, **settings)
        assert (done["mode"], done["webhook"]) == ("TEST", "given")
        yield Shop(instance, fake, url, settings)


async def _people(instance: Instance) -> None:
    async with instance.opened() as opened:
        made = await users.create(
            opened.storage, name="ada", email="ada@example.org", role=UserRole.USER, postpaid=False
        )
        await bill.set_customer(opened.storage, Billing(), made.public_id, country="DE")
        now_us, hashed = opened.clock.now_us(), (await opened.vault()).hash_password(PASSWORD)
        async with opened.storage.writing() as unit:
            account = await unit.accounts.add(
                Account(0, "acc_ada", "ada@example.org", "Ada", UserRole.USER, AccountStatus.ACTIVE, now_us, now_us)
            )
            await unit.memberships.add(Membership(account.id, made.id, OrganisationRole.OWNER, now_us))
            await unit.accounts.set_password_hash(account.id, hashed)


async def sign_in(visit: Visit) -> None:
    await visit.open("/sign-in")
    await visit.fill(email="ada@example.org", password=PASSWORD)
    await visit.press("Sign in")


async def pay(visit: Visit, amount: str, *, button: str = "Pay") -> None:
    await visit.open("/billing/top-up")
    assert await visit.title() == "Top up"
    await visit.fill(amount=amount)
    await visit.press("Go on to Stripe")
    async with visit.page.expect_navigation():
        await visit.page.get_by_role("button", name=button, exact=True).click()
    assert visit.path == "/billing"


@pytest.mark.slow
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_person_pays_on_stripes_page_and_comes_back_signed_in_with_the_money(
    shop: Shop, size: tuple[int, int]
) -> None:
    async with (
        shop.instance.serving(**shop.settings),
        chromium() as browser,
        visiting(browser, shop.url, size=size) as visit,
    ):
        await sign_in(visit)
        await pay(visit, "25.00", button="Back")
        assert "Nothing was charged" in await visit.page.locator("main").inner_text()
        await pay(visit, "25.00")
        assert "Thank you. The payment is in your balance." in await visit.page.locator("main").inner_text()
        assert shop.balance() == "25.00" and shop.kinds() == ["receipt"]
        for path in ("/billing", "/billing/top-up", "/billing/auto-top-up", "/billing/address"):
            await visit.open(path)
            assert await visit.findings() == [] and await visit.overflow() == []
        visit.elsewhere[:] = [url for url in visit.elsewhere if not url.startswith(shop.fake.base_url)]


@pytest.mark.slow
async def test_events_that_come_twice_and_in_any_order_while_the_daemon_dies_give_one_credit(shop: Shop) -> None:
    sessions: list[Thing] = []
    async with shop.instance.serving(**shop.settings), chromium() as browser, visiting(browser, shop.url) as visit:
        await sign_in(visit)
        for amount in ("10.00", "20.00", "30.00"):
            await visit.open("/billing/top-up")
            await visit.fill(amount=amount)
            await visit.press("Go on to Stripe")
            sessions.append(shop.fake.things[visit.page.url.rpartition("/")[2]])
        visit.elsewhere.clear()
        for session in sessions[:2]:
            shop.fake.pay(session["id"])
        events = shop.fake.events * 2
        Random(5).shuffle(events)  # an order that can be told again
        assert {await shop.fake.deliver(event) for event in events} == {200}
        assert shop.balance() == "30.00"
    shop.fake.pay(sessions[2]["id"])  # nobody is there to hear of it
    shop.fake.send_back(sessions[0]["payment_intent"], 1000)
    again = {**shop.settings, "SOFTIX_PAYMENTS_SWEEP_S": "0.2"}
    async with shop.instance.serving(**again):
        await shop.balance_becomes("50.00")
    assert shop.instance.cli("ledger", "verify")["ok"]
    assert sorted(shop.kinds()) == ["credit-note", "receipt", "receipt", "receipt"]
