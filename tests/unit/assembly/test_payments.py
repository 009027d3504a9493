from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from support.fake_stripe import FakeStripe

from softix_proxy import assembly
from softix_proxy.assembly.payments import StripePayments, opened_payments
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.ports.payment_gateway import WebhookRefusedError
from softix_proxy.operations.ledger import payment_keys
from softix_proxy.settings import Settings


@pytest.fixture
async def service(ready: Settings, fake_stripe: FakeStripe) -> AsyncIterator[StripePayments]:
    settings = replace(ready, payments=replace(ready.payments, api_base=fake_stripe.base_url, enabled=True))
    async with assembly.open_instance(settings) as instance:
        vault = await instance.vault()
        async with opened_payments(settings, instance.storage, vault, instance.clock) as opened:
            yield opened


async def store(service: StripePayments, fake_stripe: FakeStripe, *, webhook: bool = True) -> None:
    await payment_keys.store(
        service._storage,
        service._vault,
        secret_key=fake_stripe.secret_key,
        webhook_secret=fake_stripe.webhook_secret if webhook else None,
        api_base=fake_stripe.base_url,
    )


async def test_context_without_a_key_names_the_command_that_stores_one(service: StripePayments) -> None:
    with pytest.raises(FailureError) as caught:
        await service.context()
    assert caught.value.remedy == "run: softix payments setup"


async def test_key_that_is_stored_later_applies_without_a_restart(
    service: StripePayments, fake_stripe: FakeStripe
) -> None:
    await store(service, fake_stripe)
    context = await service.context()
    assert (await context.gateway.account()).id == "acct_fake"
    assert (await service.context()).gateway is context.gateway
    fake_stripe.secret_key = FakeStripe().secret_key
    await store(service, fake_stripe)
    assert (await (await service.context()).gateway.account()).id == "acct_fake"


async def test_mode_is_that_of_the_stored_key_and_opens_no_connection(
    service: StripePayments, fake_stripe: FakeStripe
) -> None:
    with pytest.raises(FailureError):
        await service.is_live()
    for mode in ("test", "live"):
        fake_stripe.secret_key = f"sk_{mode}_0123456789abcdefgh"
        await store(service, fake_stripe)
        assert await service.is_live() is (mode == "live")
    assert service._gateway is None


async def test_event_is_read_with_the_stored_secret_and_refused_without_one(
    service: StripePayments, fake_stripe: FakeStripe
) -> None:
    event = fake_stripe.happen("charge.refunded", {"object": "charge", "id": "ch_1", "payment_intent": "pi_1"})
    for webhook in (None, False):
        if webhook is not None:
            await store(service, fake_stripe, webhook=webhook)
        with pytest.raises(WebhookRefusedError) as caught:
            await service.read_event(*fake_stripe.signed(event))
        assert caught.value.status == 503
    await store(service, fake_stripe)
    assert (await service.read_event(*fake_stripe.signed(event))).intent_id == "pi_1"
