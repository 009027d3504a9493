from __future__ import annotations

from dataclasses import replace

from softix_proxy.domain.ledger.payments import OnlinePayment, PaymentKind, PaymentState
from softix_proxy.domain.ledger.refunds import RefundRequest, RefundState
from softix_proxy.domain.ports.storage import Storage


async def add(storage: Storage, public_id: str = "pay_one", user_id: int = 1) -> OnlinePayment:
    async with storage.writing() as unit:
        return await unit.payments.add(
            OnlinePayment(
                id=0,
                public_id=public_id,
                user_id=user_id,
                kind=PaymentKind.CHECKOUT,
                state=PaymentState.PAID,
                asked_cents=2500,
                asked_tax_cents=0,
                is_live=True,
                created_at_us=7,
            )
        )


async def test_refund_request_is_kept_and_listed_by_state_and_user(storage: Storage) -> None:
    payment, other = await add(storage), await add(storage, "pay_bob", 2)
    async with storage.writing() as unit:
        made = await unit.payments.refunds.add(
            RefundRequest(0, "rfd_1", payment.id, 500, RefundState.REQUESTED, 5, account_id=3)
        )
        await unit.payments.refunds.add(RefundRequest(0, "rfd_2", other.id, 600, RefundState.APPROVED, 6))
        answered = replace(made, state=RefundState.REFUNDED, refund_id="re_1", answered_at_us=8)
        await unit.payments.refunds.update(answered)
    store = storage.reading().payments.refunds
    assert await store.find("rfd_1") == answered and await store.find("rfd_3") is None
    assert await store.of_payment(payment.id) == [answered]
    assert [one.public_id for one in await store.list(None, None)] == ["rfd_1", "rfd_2"]
    assert [one.public_id for one in await store.list(RefundState.APPROVED, None)] == ["rfd_2"]
    assert await store.list(RefundState.APPROVED, 1) == []
