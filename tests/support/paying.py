"""Two users, one with an account, who pay by the real SDK at the fake Stripe; the database is the real one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from support.books import POSTED_PICO, StoppedClock, make_database
from support.fake_stripe import FakeStripe, Thing, serving_stripe

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.access.users import User, UserRole
from softix_proxy.domain.accounts.accounts import Account, AccountStatus
from softix_proxy.domain.billing.seller import Billing
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.ledger.payments import OnlinePayment
from softix_proxy.domain.ledger.payments_section import PaymentsSection
from softix_proxy.domain.notices.outbox import Notice
from softix_proxy.domain.organisations.organisations import Membership
from softix_proxy.domain.ports.payment_gateway import EventHint
from softix_proxy.operations.billing.payment_documents import PaymentDocuments
from softix_proxy.operations.ledger import checkouts, payments
from softix_proxy.operations.ledger.payments import PaymentContext
from softix_proxy.payments.stripe_gateway import opened_gateway
from softix_proxy.payments.webhook_signature import hint_of
from softix_proxy.storage.sqlite.unit import SqliteStorage

USD = 10**12
SELLER = Billing(
    seller_name="Example GmbH", seller_country="DE", seller_vat_id="DE123456789", seller_registration="HRB 12345"
)


@dataclass
class Paying:
    """What a test of payments works with. Amounts of the wallet are what was paid, without the first $10."""

    fake: FakeStripe
    storage: SqliteStorage
    context: PaymentContext
    clock: StoppedClock
    user: User
    account: Account

    async def begin(self, cents: int = 2500, **options: Any) -> str:
        """Begins a top-up, and returns the id of Stripe's page."""
        url = await checkouts.begin(self.context, self.user, self.account, cents, **options)
        return url.rpartition("/")[2]

    async def payment(self, session_id: str) -> OnlinePayment:
        found = await self.storage.reading().payments.by_session(session_id)
        assert found is not None
        return found

    async def told(self, *events: Thing) -> None:
        """Handles these events, or all that were not handled yet, as the webhook does."""
        for event in events or tuple(self.fake.events):
            await payments.handle_event(self.context, self.hint(event))
        if not events:
            self.fake.events.clear()

    def hint(self, event: Thing) -> EventHint:
        return hint_of(event["id"], event["livemode"], event["data"]["object"])

    async def paid(self, cents: int = 2500, **options: Any) -> OnlinePayment:
        """A top-up that was paid and credited."""
        session_id = await self.begin(cents, **options)
        self.fake.pay(session_id)
        await self.told()
        return await self.payment(session_id)

    async def credit_cents(self, user_id: int = 1) -> int:
        """What the wallet has more than at first, in whole cents."""
        posted_pico = (await self.storage.reading().balance.get(user_id)).posted_pico
        assert (posted_pico - POSTED_PICO) % (USD // 100) == 0
        return (posted_pico - POSTED_PICO) // (USD // 100)

    async def notices(self) -> list[Notice]:
        """The messages to people, the oldest first."""
        return [one.notice for one in await self.storage.reading().outbox.list(None, 1000)][::-1]

    async def spend(self, cents: int) -> None:
        """Takes money out of the wallet, as usage does. It is booked as an adjustment of the user's own."""
        from softix_proxy.domain.ledger.ledger import REVENUE, Transfer

        async with self.storage.writing() as unit:
            amount_pico = cents * (USD // 100)
            await unit.ledger.post(Transfer(0, self.user.id, REVENUE, amount_pico, "charge"))

    def with_settings(self, **changes: Any) -> Paying:
        return replace(self, context=replace(self.context, section=replace(self.context.section, **changes)))


async def _ada(storage: SqliteStorage) -> tuple[User, Account]:
    async with storage.writing() as unit:
        user = await unit.users.get(1)
        account = await unit.accounts.add(
            Account(
                id=0,
                public_id="acc_ada",
                email="ada@example.org",
                display_name="Ada",
                role=UserRole.ADMIN,
                status=AccountStatus.ACTIVE,
                created_at_us=1,
                verified_at_us=1,
            )
        )
        await unit.memberships.add(Membership(account.id, user.id, OrganisationRole.OWNER, 1))
    return user, account


@asynccontextmanager
async def paying(folder: Path, *, billing: Billing = SELLER, **settings: Any) -> AsyncIterator[Paying]:
    clock = StoppedClock()
    fake = FakeStripe(now_s=lambda: clock.now_us() // SECOND_US)
    database = await make_database(folder, clock).open()
    storage = SqliteStorage(database)
    section = PaymentsSection(enabled=True, **{"sessions_per_hour": 100, **settings})
    try:
        async with (
            serving_stripe(fake),
            opened_gateway(fake.secret_key, api_base=fake.base_url, timeout_s=5) as gateway,
        ):
            context = PaymentContext(
                storage, gateway, section, billing, PaymentDocuments(billing), "https://portal.example.org"
            )
            user, account = await _ada(storage)
            yield Paying(fake, storage, context, clock, user, account)
    finally:
        await database.close()
