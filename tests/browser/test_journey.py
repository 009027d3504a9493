"""A customer's whole way in a real browser: from registering over a key, usage and a payment to a refund.

The daemon, the mail server and Stripe's SDK are real ones. The provider, and Stripe's side, are on this machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import aiohttp
import pyotp
import pytest
from playwright.async_api import Browser, expect
from support.browser import Visit, visiting
from support.daemon import Prepared, prepared
from support.fake_stripe import FakeStripe
from support.mail_server import MailServer, Received, mail_server
from support.portal_daemon import PortalDaemon, portal_daemon
from support.provider import FakeProvider, fake

from softix_proxy.domain.core.clock import SECOND_US, SystemClock

GRACE, OPERATOR, PASSWORD = "grace.hopper@example.org", "ada.lovelace@example.org", "four words in a row"
WELCOME, TOPPED_UP, ASKED_BACK = Decimal("1.00"), Decimal("25.00"), Decimal("10.00")
TOKENS_IN, TOKENS_OUT = 120_000, 40_000
CHARGE = Decimal("0.20")
"""120 000 tokens at $1.00 a million, and 40 000 at $2.00."""
NEVER_S = "100000"
STEP_S = 30


@dataclass
class House:
    """The daemon, and with whom it speaks."""

    prepared: Prepared
    daemon: PortalDaemon
    mail: MailServer
    stripe: FakeStripe

    async def letter(self, to: str, subject: str) -> Received:
        """The message to somebody with this subject. It waits for it."""
        count = 0
        while True:
            for one in self.mail.received[count:]:
                if one.recipients == (to,) and subject in one.message["Subject"]:
                    return one
            count = len(self.mail.received)
            await self.mail.wait_for(count + 1)

    async def follow(self, visit: Visit, to: str, subject: str) -> None:
        """Opens the link in that message."""
        await visit.open(self.daemon.path_in((await self.letter(to, subject)).part("html")))

    async def ask(self, key: str) -> tuple[int, str | None]:
        """One request to the API. Returns its status, and what it cost."""
        body = {"model": "gpt-test", "messages": [{"role": "user", "content": "Hello"}]}
        headers = {"authorization": f"Bearer {key}", **fake(tokens=f"{TOKENS_IN},{TOKENS_OUT}")}
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.prepared.openai_url}/chat/completions", json=body, headers=headers) as got,
        ):
            await got.read()
            return got.status, got.headers.get("x-softix-cost-usd")

    def softix(self, *arguments: str) -> object:
        return self.daemon.cli(*arguments)


@pytest.fixture
async def house(tmp_path: Path, fake_provider: FakeProvider, fake_stripe: FakeStripe) -> AsyncIterator[House]:
    """Everybody may register, messages go by SMTP, and people can pay."""
    stripe = fake_stripe
    made = await prepared(tmp_path, fake_provider.base_url)
    key, secret = tmp_path / "stripe.key", tmp_path / "webhook.secret"
    key.write_text(stripe.secret_key)
    secret.write_text(stripe.webhook_secret)
    payments = {"SOFTIX_PAYMENTS_ENABLED": "true", "SOFTIX_PAYMENTS_API_BASE": stripe.base_url}
    given = ("--key-file", str(key), "--webhook-secret-file", str(secret))
    await asyncio.to_thread(made.instance.cli, "payments", "setup", *given, **payments)
    async with (
        mail_server() as mail,
        portal_daemon(
            made,
            **payments,
            SOFTIX_PAYMENTS_SWEEP_S=NEVER_S,
            SOFTIX_BILLING_SELLER_NAME="Example GmbH",
            SOFTIX_PORTAL_REGISTRATION="open",
            SOFTIX_MAIL_TRANSPORT="smtp",
            SOFTIX_MAIL_HOST="127.0.0.1",
            SOFTIX_MAIL_PORT=str(mail.port),
            SOFTIX_MAIL_SECURITY="none",
            SOFTIX_MAIL_FROM_ADDRESS="softix@example.org",
        ) as daemon,
    ):
        stripe.webhook_url = f"{daemon.url}/webhooks/stripe"
        yield House(made, daemon, mail, stripe)


async def register(house: House, grace: Visit) -> None:
    """The link in the message only shows a button, because programs open links, too."""
    await grace.open("/register")
    await grace.fill(name="Grace Hopper", email=GRACE, password=PASSWORD)
    await grace.page.get_by_label("I am at least 16 years old.").check()
    await grace.press("Register")
    await house.follow(grace, GRACE, "Confirm")
    await grace.fill(password=PASSWORD)
    await grace.press("Confirm this e-mail")
    assert grace.path == "/sign-in"


async def sign_in(visit: Visit, email: str = GRACE) -> None:
    await visit.open("/sign-in")
    await visit.fill(email=email, password=PASSWORD)
    await visit.press("Sign in")


async def sign_out(visit: Visit) -> None:
    await visit.page.get_by_role("banner").get_by_role("button", name="Sign out").click()
    await expect(visit.page.locator("h1")).to_have_text("Sign in")


async def add_second_factor(house: House, grace: Visit) -> None:
    """And signs in with it. A code counts once, so the second one is that of the next half minute."""
    await grace.open("/account/factors")
    await grace.press("Set up an app")
    app = pyotp.TOTP((await grace.page.locator(".secret code").inner_text()).replace(" ", ""))
    now_s = SystemClock().now_us() // SECOND_US
    await grace.fill(code=app.at(now_s))
    await grace.press("Confirm")
    assert await grace.title() == "Your recovery codes"
    await house.letter(GRACE, "second factor")
    await sign_out(grace)
    await sign_in(grace)
    await grace.open("/keys")
    assert grace.path == "/sign-in/second-factor", "a password alone opens nothing"
    await grace.fill(code=app.at(now_s))
    await grace.press("Continue")
    assert grace.path == "/sign-in/second-factor", "the code was used before"
    await grace.fill(code=app.at(now_s + STEP_S))
    await grace.press("Continue")
    assert not grace.path.startswith("/sign-in")


async def make_key(house: House, grace: Visit) -> str:
    """The key is shown once."""
    await grace.open("/keys/new")
    await grace.fill(label="laptop")
    await grace.press("Make the key")
    key = await grace.page.locator(".secret code").inner_text()
    await grace.open("/keys")
    assert key not in await grace.page.content() and "laptop" in await grace.page.content()
    assert key not in (await house.letter(GRACE, "A new API key was made")).raw.decode()
    return key


async def balance(grace: Visit) -> Decimal:
    """What the page says."""
    await grace.open("/billing")
    return Decimal((await grace.page.locator(".tile b").first.inner_text()).removeprefix("$"))


async def use(house: House, grace: Visit, key: str) -> None:
    """An empty balance pays no request; one that the operator filled does, and the pages show what it cost."""
    assert (await house.ask(key))[0] == 429
    house.softix("balance", "add", GRACE, str(WELCOME), "--note", "welcome")
    status, cost = await house.ask(key)
    assert status == 200 and cost is not None and Decimal(cost) == CHARGE
    await grace.open("/usage")
    [row] = await grace.page.locator("#requests ~ .scroll tbody tr").all()
    cells = await row.locator("td").all_inner_texts()
    assert cells[2:6] == ["laptop", "120,000", "40,000", f"${CHARGE}"], cells
    await row.get_by_role("link").click()
    await grace.page.wait_for_url("**/requests/req_*")
    assert f"${CHARGE}" in await grace.page.locator("main").inner_text()
    assert await balance(grace) == WELCOME - CHARGE


async def top_up(house: House, grace: Visit) -> None:
    """Stripe's page sends the browser back, and it is still signed in. Its event comes later, and changes nothing."""
    await grace.open("/billing/top-up")
    await grace.look("journey-top-up")
    await grace.fill(amount=str(TOPPED_UP))
    await grace.press("Go on to Stripe")
    assert grace.page.url.startswith(house.stripe.base_url)
    async with grace.page.expect_navigation(url="**/billing?*"):
        await grace.page.get_by_role("button", name="Pay", exact=True).click()
    assert "Thank you. The payment is in your balance." in await grace.page.locator("main").inner_text()
    await grace.look("journey-billing")
    assert {await house.stripe.deliver(event) for event in house.stripe.events} == {200}
    assert await balance(grace) == WELCOME - CHARGE + TOPPED_UP
    told = (await house.letter(GRACE, "Your receipt")).part("html")
    assert f"{house.daemon.url}/billing" in told and str(TOPPED_UP) in told
    await document(grace, "Receipt")


async def document(grace: Visit, kind: str) -> None:
    """The newest document of this kind as PDF and as a page."""
    await grace.open("/billing")
    row = grace.page.get_by_role("row").filter(has=grace.page.get_by_role("cell", name=kind, exact=True))
    paths = {form: await row.get_by_role("link", name=form).get_attribute("href") for form in ("PDF", "HTML")}
    pdf = await grace.context.request.get(f"{grace.url}{paths['PDF']}")
    assert (pdf.status, (await pdf.body())[:5]) == (200, b"%PDF-")
    page = await grace.context.request.get(f"{grace.url}{paths['HTML']}")
    assert page.status == 200 and "Example GmbH" in await page.text()


async def ask_money_back(house: House, grace: Visit) -> None:
    """The money leaves the balance at once, and more than was paid and not used cannot leave."""
    before = await balance(grace)
    await grace.page.get_by_role("link", name="Ask for a refund").click()
    await grace.page.wait_for_url("**/billing/refunds?*")
    await grace.fill(amount=str(TOPPED_UP + 1))
    await grace.press("Ask for the refund")
    assert await grace.page.get_by_role("alert").count() == 1
    await grace.fill(amount=str(ASKED_BACK))
    await grace.press("Ask for the refund")
    assert await balance(grace) == before - ASKED_BACK
    await grace.look("journey-refunds")
    assert "Waiting for an answer" in await grace.page.locator("main").inner_text()


async def approve(house: House, operator: Visit) -> None:
    house.softix("accounts", "create", OPERATOR, "--name", "Ada Lovelace", "--role", "billing")
    await house.follow(operator, OPERATOR, "Your account is ready")
    await operator.fill(password=PASSWORD)
    await operator.press("Set the password")
    await sign_in(operator, OPERATOR)
    await operator.open("/admin/payments")
    await operator.press("Approve")
    assert "Nobody waits for a refund." in await operator.page.locator("main").inner_text()


@pytest.mark.slow
async def test_customer_registers_uses_pays_and_gets_money_back(browser: Browser, house: House) -> None:
    async with visiting(browser, house.daemon.url) as grace, visiting(browser, house.daemon.url) as operator:
        await register(house, grace)
        await sign_in(grace)
        await add_second_factor(house, grace)
        key = await make_key(house, grace)
        await use(house, grace, key)
        await top_up(house, grace)
        await ask_money_back(house, grace)
        await approve(house, operator)

        assert {await house.stripe.deliver(event) for event in house.stripe.events} == {200}
        assert await balance(grace) == WELCOME - CHARGE + TOPPED_UP - ASKED_BACK
        assert "Paid back" in await grace.page.locator("main").inner_text()
        await document(grace, "Credit note")
        assert str(ASKED_BACK) in (await house.letter(GRACE, "A payment was refunded")).part("plain")

        cookies = await grace.context.cookies()
        await sign_out(grace)
        await grace.context.add_cookies(cookies)  # type: ignore[arg-type] # what somebody kept of it
        for path in ("/", "/keys", "/billing", "/account"):
            await grace.open(path)
            assert grace.path == "/sign-in"
        assert (await house.ask(key))[0] == 200, "a key is not a session"
        grace.elsewhere[:] = [url for url in grace.elsewhere if not url.startswith(house.stripe.base_url)]
    assert house.prepared.verify()["ok"]
