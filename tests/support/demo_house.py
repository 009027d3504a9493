"""A portal with a month of invented life, always the same: what the pictures of the documents show."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from support.books import make_intent, make_settlement, post
from support.fake_stripe import FakeStripe, serving_stripe
from support.paying import Paying
from support.portal import Portal, serving_portal
from support.portal_daemon import free_port

from softix_proxy.domain.access.keys import Key, KeyLimits, KeyStatus
from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.access.users import User, UserRole, UserStatus
from softix_proxy.domain.accounts.accounts import Account
from softix_proxy.domain.accounts.public_url import parse_public_url
from softix_proxy.domain.billing.seller import Billing
from softix_proxy.domain.catalog.models import Model, ModelStatus
from softix_proxy.domain.catalog.providers import Provider, ProviderStatus, ProviderType
from softix_proxy.domain.core import ids
from softix_proxy.domain.core.clock import DAY_US, SECOND_US, from_us, parse_instant
from softix_proxy.domain.core.money import parse_usd
from softix_proxy.domain.ledger.payments import OnlinePayment
from softix_proxy.domain.ledger.payments_section import PaymentsSection
from softix_proxy.domain.metering.settlement import Settlement
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.domain.organisations.organisations import Membership
from softix_proxy.domain.ports.storage import Unit
from softix_proxy.domain.pricing.prices import PriceVersion
from softix_proxy.domain.pricing.rates import PriceSheet
from softix_proxy.operations.billing.payment_documents import PaymentDocuments
from softix_proxy.operations.ledger import auto_top_ups, balance, checkouts, payments, refunds
from softix_proxy.operations.ledger.payments import PaymentContext
from softix_proxy.payments.stripe_gateway import opened_gateway
from softix_proxy.web.portal.route_table import ROUTES

USD = 10**12
TODAY = parse_instant("2026-11-20")
NOW_US = TODAY + 15 * 3600 * SECOND_US + 42 * 60 * SECOND_US
DAYS, REFUND_DAY = 29, 24
BILLING = Billing(seller_name="Example GmbH", seller_country="DE")
PAYMENTS = PaymentsSection(enabled=True, sessions_per_hour=100)
MEMBER, OPERATOR = "member", "operator"

CUSTOMERS = (
    ("acme", "Acme Robotics"),
    ("lovelace", "Lovelace Analytics"),
    ("harbour", "Harbour Clinic"),
    ("northwind", "Northwind Traders"),
)
PROVIDERS = (
    ("openai", ProviderType.OPENAI, "https://api.openai.com"),
    ("anthropic", ProviderType.ANTHROPIC, "https://api.anthropic.com"),
)
MODELS = (
    ("gpt-5.1", 1, "1.25", "10.00"),
    ("gpt-5-mini", 1, "0.25", "2.00"),
    ("claude-sonnet-4-5", 2, "3.00", "15.00"),
)
"""The name, the provider's number, and the prices of a million tokens of input and of output."""
MARKUP = Fraction(11, 10)
KEYS = (
    ("support bot", "sx_live_7Kq2", KeyLimits(cap_pico=60 * USD, cap_period="month"), None, "2026-08-03"),
    ("nightly reports", "sx_live_mB9x", KeyLimits(cap_pico=20 * USD, cap_period="month"), None, "2026-09-14"),
    ("Ada's notebook", "sx_live_t4Zd", KeyLimits(rpm=60), None, "2026-10-01"),
    ("trade fair demo", "sx_live_Qp0e", KeyLimits(), "2026-11-08", "2026-11-02"),
)
"""Label, prefix, limits, when it expires, and when it was made."""
SHARES = ((1, 0), (1, 0), (1, 1), (2, 1), (2, 2), (3, 2), (1, 2))
"""The key's number and the model's index of a request, one of these by chance."""


@dataclass
class DemoHouse:
    """A portal that serves on this machine, and whose clock stands still."""

    portal: Portal
    paying: Paying
    tokens: dict[str, str]
    """Who → what the cookie of the signed-in person holds."""

    @property
    def url(self) -> str:
        return self.portal.context.url.origin


@asynccontextmanager
async def demo_house(folder: Path) -> AsyncIterator[DemoHouse]:
    """Serves it until the block ends."""
    port = free_port()
    url = parse_public_url(f"http://localhost:{port}")
    async with serving_portal(folder, ROUTES, url=url, port=port) as portal:
        portal.clock.us = TODAY - (DAYS + 30) * DAY_US
        context = portal.context
        context.settings = replace(context.settings, payments=PAYMENTS, billing=BILLING)
        stripe = FakeStripe(secret_key="sk_live_fake", now_s=lambda: portal.clock.now_us() // SECOND_US)
        async with (
            serving_stripe(stripe),
            opened_gateway(stripe.secret_key, api_base=stripe.base_url, timeout_s=5) as gateway,
        ):
            storage = portal.storage
            paid_by = PaymentContext(storage, gateway, PAYMENTS, BILLING, PaymentDocuments(BILLING), url.origin)
            context.payments = _Payments(paid_by)  # type: ignore[assignment] # what pages ask of it
            customers, ada = await _directory(portal)
            paying = Paying(stripe, storage, paid_by, portal.clock, customers[0], ada)
            with patch.object(ids, "secrets", SimpleNamespace(choice=Random(3).choice)):
                await _live(paying, customers)
            yield DemoHouse(portal, paying, await _arrivals(portal, ada))


@dataclass(frozen=True)
class _Payments:
    made: PaymentContext

    async def context(self) -> PaymentContext:
        return self.made

    async def is_live(self) -> bool:
        return self.made.gateway.is_live


async def _directory(portal: Portal) -> tuple[list[User], Account]:
    ada = await portal.account("ada@example.org", display_name="Ada Lovelace")
    async with portal.storage.writing() as unit:
        customers = [await _customer(unit, handle, name) for handle, name in CUSTOMERS]
        await unit.memberships.add(Membership(ada.id, customers[0].id, OrganisationRole.OWNER, 1))
        for name, kind, base_url in PROVIDERS:
            await unit.providers.add(
                Provider(0, f"prv_{name}", name, kind, base_url, b"", "cancel", ProviderStatus.ACTIVE, 1)
            )
        await unit.models.add_all(
            [Model(0, name, provider, name, 400_000, 64_000, ModelStatus.ACTIVE, 1) for name, provider, *_ in MODELS]
        )
        await unit.prices.add_all([_price(number, *prices) for number, (_, _, *prices) in enumerate(MODELS, 1)])
        for number, customer in enumerate(customers):
            for one in KEYS if number == 0 else KEYS[:1]:
                await unit.keys.add(_key(customer, *one))
    return customers, ada


def _price(model: int, input_usd: str, output_usd: str) -> PriceVersion:
    sheet = PriceSheet.parse({"bands": [{"prices": {"input": input_usd, "output": output_usd}}]})
    return PriceVersion(0, model, None, "operator", sheet, 1, 1)


async def _customer(unit: Unit, handle: str, name: str) -> User:
    made = await unit.users.add(
        User(
            id=0,
            public_id=f"usr_{handle}",
            name=handle,
            email=f"{handle}@example.org",
            role=UserRole.USER,
            status=UserStatus.ACTIVE,
            postpaid=False,
            created_at_us=parse_instant("2026-08-01"),
        )
    )
    await unit.users.set_display_name(made.id, name)
    return made


def _key(owner: User, label: str, prefix: str, limits: KeyLimits, ends: str | None, made: str) -> Key:
    return Key(
        id=0,
        public_id=f"key_{hashlib.sha256(f'{owner.name} {label}'.encode()).hexdigest()[:16]}",
        user_id=owner.id,
        label=label,
        prefix=prefix,
        digest=hashlib.sha256(f"{owner.name} {label}".encode()).digest(),
        models=(),
        allow_ip=(),
        limits=limits,
        status=KeyStatus.ACTIVE,
        expires_at_us=None if ends is None else parse_instant(ends),
        created_at_us=parse_instant(made),
    )


async def _live(paying: Paying, customers: list[User]) -> None:
    """The customers pay, use the API for a month, and one of them asks for money back."""
    clock, random = paying.clock, Random(20)
    first = await paying.paid(5000)
    for other, usd in zip(customers[1:], (40, 15, 120), strict=True):
        await balance.add(paying.storage, other.public_id, usd * USD, note="bank transfer")
    paying.fake.add_method(await checkouts.customer_of(paying.context, paying.user))
    await _top_up_automatically(paying)
    connection, number = paying.storage._database.connect(), 0
    for day in range(DAYS, -1, -1):
        for at_us in _times(TODAY - day * DAY_US, random):
            number += 1
            clock.us = at_us
            post(connection, [_request(number, at_us, random)], at_us)
        await auto_top_ups.run(paying.context)
        await paying.told()
        if day == REFUND_DAY:
            await _ask_back(paying, first, 500, approved=True)
            await _top_up_automatically(paying)  # it paused when money went back
    connection.close()
    clock.us = NOW_US - 3600 * SECOND_US
    [*_, last] = await payments.list_all(paying.storage, paying.user.id, 1)
    await _ask_back(paying, last, 1000)


async def _top_up_automatically(paying: Paying) -> None:
    values = {"threshold_cents": 2000, "amount_cents": 2500, "monthly_cap_cents": 10000}
    await auto_top_ups.set_up(paying.context, paying.user.id, account=None, **values)


async def _ask_back(paying: Paying, payment: OnlinePayment, cents: int, *, approved: bool = False) -> None:
    asked = {"net_cents": cents, "account_id": paying.account.id, "user_id": paying.user.id}
    made = await refunds.request(paying.context, payment.public_id, **asked)  # type: ignore[arg-type] # as named
    if approved:
        await refunds.approve(paying.context, made.public_id)
    await paying.told()


def _times(day_us: int, random: Random) -> list[int]:
    """When requests end on this day: fewer at weekends, and none after now."""
    count = 3 if from_us(day_us).weekday() > 4 else random.randint(8, 16)
    seconds = sorted(random.sample(range(7 * 3600, 19 * 3600), count))
    return [at_us for second in seconds if (at_us := day_us + second * SECOND_US) < NOW_US]


def _request(number: int, at_us: int, random: Random) -> Settlement:
    key, model = random.choice(SHARES)
    user = 1 if random.random() < 0.75 else random.randint(2, len(CUSTOMERS))
    _, provider, *prices = MODELS[model]
    intent = make_intent(
        number << 22,
        0,
        user=user,
        key_id=key if user == 1 else len(KEYS) + user - 1,
        provider_id=provider,
        model_id=model + 1,
        price_id=model + 1,
        endpoint="/v1/chat/completions",
        started_at_us=at_us - 4 * SECOND_US,
    )
    if random.random() < 0.02:
        told: dict[str, Any] = {"status_code": 502, "error": "provider_unreachable", "source": UsageSource.NONE}
        return make_settlement(intent, meters={}, cost_pico=0, charge_pico=0, **told)
    meters = {"input_tokens": random.randint(9_000, 180_000), "output_tokens": random.randint(900, 24_000)}
    costs = [tokens * parse_usd(price) // 10**6 for tokens, price in zip(meters.values(), prices, strict=True)]
    return make_settlement(
        intent,
        meters=meters,
        markup=MARKUP,
        cost_pico=sum(costs),
        charge_pico=int(sum(costs) * MARKUP),
        cost_price_id=model + 1,
        latency_ms=random.randint(900, 3_900),
        ttfb_ms=random.randint(200, 800),
    )


async def _arrivals(portal: Portal, ada: Account) -> dict[str, str]:
    """Both sign in, now."""
    portal.clock.us = NOW_US
    grace = await portal.account("grace@example.org", display_name="Grace Hopper", role=UserRole.BILLING)
    return {MEMBER: await portal.sign_in(ada, MEMBER), OPERATOR: await portal.sign_in(grace, OPERATOR)}
