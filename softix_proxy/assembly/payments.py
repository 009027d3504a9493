"""Wires payments: the keys of the vault, Stripe, and what follows from a payment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from softix_proxy.domain.core.clock import Clock
    from softix_proxy.domain.ports.payment_gateway import EventHint
    from softix_proxy.domain.ports.storage import Storage
    from softix_proxy.domain.ports.vault import Vault
    from softix_proxy.operations.ledger.payment_keys import PaymentKeys
    from softix_proxy.operations.ledger.payments import PaymentContext
    from softix_proxy.payments.stripe_gateway import StripeGateway
    from softix_proxy.settings import Settings


class StripePayments:
    """Implements `operations.ledger.payments.PaymentService`.

    It reads the keys each time, so that a key that was stored meanwhile applies, and keeps the connection to Stripe.
    """

    def __init__(self, settings: Settings, storage: Storage, vault: Vault, clock: Clock) -> None:
        self.settings = settings
        self._storage, self._vault, self._clock = storage, vault, clock
        self._lock = asyncio.Lock()
        self._opened = AsyncExitStack()
        self._gateway: StripeGateway | None = None
        self._key_in_use: str | None = None

    async def keys(self) -> PaymentKeys:
        from softix_proxy.operations.ledger import payment_keys

        return await payment_keys.load(self._storage.reading(), self._vault, self.settings.payments.api_base)

    async def is_live(self) -> bool:
        return (await self.keys()).is_live

    async def context(self) -> PaymentContext:
        """Returns what the operations on payments need. Raises FailureError without a key, or without the SDK."""
        from softix_proxy.operations.billing.payment_documents import PaymentDocuments
        from softix_proxy.operations.ledger.payments import PaymentContext

        keys = await self.keys()
        return PaymentContext(
            storage=self._storage,
            gateway=await self._connected(keys.secret_key),
            section=self.settings.payments,
            billing=self.settings.billing,
            follow_up=PaymentDocuments(self.settings.billing),
            public_url=self.settings.portal.origin or "",
        )

    async def _connected(self, secret_key: str) -> StripeGateway:
        from softix_proxy.payments.stripe_gateway import opened_gateway

        async with self._lock:
            if self._gateway is None or secret_key != self._key_in_use:
                # The connection of an earlier key stays open until the end: a request may still use it.
                section = self.settings.payments
                self._gateway = await self._opened.enter_async_context(
                    opened_gateway(secret_key, api_base=section.api_base, timeout_s=section.timeout_s)
                )
                self._key_in_use = secret_key
            return self._gateway

    async def read_event(self, body: bytes, signature: str | None) -> EventHint:
        """Checks a message to the webhook. Raises WebhookRefusedError, and UnusableError without the database."""
        from softix_proxy.domain.core.errors import FailureError, UnusableError
        from softix_proxy.payments.webhook_signature import read_event

        try:
            secret = (await self.keys()).webhook_secret
        except UnusableError:
            raise
        except FailureError:
            secret = None
        return read_event(body, signature, secret, self._clock.now_us())

    async def close(self) -> None:
        await self._opened.aclose()


@asynccontextmanager
async def opened_payments(
    settings: Settings, storage: Storage, vault: Vault, clock: Clock
) -> AsyncIterator[StripePayments]:
    """Opens payments for a command or a daemon, and closes the connection to Stripe at the end."""
    opened = StripePayments(settings, storage, vault, clock)
    try:
        yield opened
    finally:
        await opened.close()
