from __future__ import annotations

from dataclasses import replace

from support.books import NOW_US

from softix_proxy.domain.ledger.auto_top_ups import AutoTopUp
from softix_proxy.domain.ports.storage import Storage


async def test_automatic_top_up_is_due_while_its_wallet_is_below_the_threshold(storage: Storage) -> None:
    due = AutoTopUp(1, True, 1001, 2500, 5000)  # both wallets have 10.00
    async with storage.writing() as unit:
        await unit.payments.auto_top_ups.set(due)
        await unit.payments.auto_top_ups.set(replace(due, user_id=2, threshold_cents=1000))
    store = storage.reading().payments.auto_top_ups
    assert await store.get(1) == due and await store.get(9) is None
    assert await store.due(NOW_US) == [due]
    for changes in ({"enabled": False}, {"paused_at_us": 4, "failures": 3}, {"next_at_us": NOW_US + 1}):
        async with storage.writing() as unit:
            await unit.payments.auto_top_ups.set(replace(due, **changes))  # type: ignore[arg-type] # of the fields' types
        assert await store.due(NOW_US) == []
