"""A portal with payments, a person who pays, and the fake Stripe behind them."""

from __future__ import annotations

from dataclasses import dataclass

from support.fake_stripe import FakeStripe
from support.portal import Portal

from softix_proxy.assembly.payments import StripePayments
from softix_proxy.domain.access.users import User
from softix_proxy.domain.accounts.accounts import Account

ORIGIN = "http://localhost:8485"
MARK = "<script>alert(1)</script>"


@dataclass
class Till:
    """Ada owns the organisation `lovelace`, and is signed in."""

    portal: Portal
    fake: FakeStripe
    service: StripePayments
    ada: Account
    own: User
    token: str

    async def begin(self, amount: str = "25.00") -> str:
        """Asks for a top-up, and returns the id of Stripe's page."""
        got = await self.portal.post("/billing/top-up", {"amount": amount}, token=self.token)
        assert got.status == 303, got.text
        return got.location.rpartition("/")[2]

    async def paid(self, amount: str = "25.00") -> str:
        """Pays, and comes back. Returns the id of the payment."""
        session_id = await self.begin(amount)
        self.fake.pay(session_id)
        back = self.fake.things[session_id]["success_url"]
        got = await self.portal.get(back.removeprefix(ORIGIN), token=self.token)
        assert got.status == 200 and "Thank you. The payment is in your balance." in got.text
        return str(back.rpartition("=")[2])

    async def balance_cents(self) -> int:
        return int((await self.portal.storage.reading().balance.get(self.own.id)).posted_pico // 10**10)
