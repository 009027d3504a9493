"""The pages about money, with the fake Stripe behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from support.fake_stripe import FakeStripe, serving_stripe
from support.portal import Portal, organisation
from support.till import MARK, ORIGIN, Till

from softix_proxy.assembly.payments import StripePayments
from softix_proxy.domain.accounts.public_url import parse_public_url
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.operations.ledger import payment_keys
from softix_proxy.web.portal.route_table import ROUTES


@pytest.fixture
async def portal(serve: Any) -> AsyncIterator[Portal]:
    """On this machine: only such a portal leads to a Stripe without TLS."""
    async with serve(ROUTES, url=parse_public_url(ORIGIN)) as served:
        yield served


@pytest.fixture
async def till(portal: Portal) -> AsyncIterator[Till]:
    fake = FakeStripe(now_s=lambda: portal.clock.now_us() // SECOND_US)
    async with serving_stripe(fake):
        context = portal.context
        settings = replace(
            context.settings,
            payments=replace(context.settings.payments, enabled=True, api_base=fake.base_url, sessions_per_hour=100),
            billing=replace(context.settings.billing, seller_name="Example GmbH"),
        )
        context.settings = settings
        await payment_keys.store(
            context.storage,
            context.vault,
            secret_key=fake.secret_key,
            webhook_secret=fake.webhook_secret,
            api_base=fake.base_url,
        )
        service = StripePayments(settings, context.storage, context.vault, portal.clock)
        context.payments = service
        ada = await portal.account(display_name=MARK)
        own = await organisation(portal, "lovelace", ada)
        try:
            yield Till(portal, fake, service, ada, own, await portal.sign_in(ada))
        finally:
            await service.close()
