"""What a person is shown about money: the balance, payments, documents and refunds, all of one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from softix_proxy.domain.billing.bill import Document
from softix_proxy.domain.ledger.auto_top_ups import AutoTopUp
from softix_proxy.domain.ledger.balance import Wallet
from softix_proxy.domain.ledger.payments import OnlinePayment
from softix_proxy.domain.ledger.refunds import RefundRequest
from softix_proxy.domain.ports.storage import Storage


@dataclass(frozen=True, slots=True)
class BillingOverview:
    """The lists have the newest first."""

    wallet: Wallet
    payments: Sequence[OnlinePayment]
    documents: Sequence[Document]
    refunds: Sequence[RefundRequest]
    auto_top_up: AutoTopUp | None


async def billing_overview(storage: Storage, user_id: int, limit: int) -> BillingOverview:
    """Returns what there is of one user, with at most `limit` of each list."""
    async with storage.snapshot() as unit:
        refunds = await unit.payments.refunds.list(None, user_id)
        return BillingOverview(
            wallet=await unit.balance.get(user_id),
            payments=await unit.payments.list(user_id, limit),
            documents=[one.document for one in await unit.bill.page(user_id, None, None, limit)],
            refunds=refunds[::-1][:limit],
            auto_top_up=await unit.payments.auto_top_ups.get(user_id),
        )
