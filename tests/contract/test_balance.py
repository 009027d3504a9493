import pytest
from support.books import NOW_US, POSTED_PICO, USD, make_intent, make_settlement
from support.engines import Books

from softix_proxy.domain.core.errors import NotFoundError
from softix_proxy.domain.ledger.balance import Wallet, WalletEntry
from softix_proxy.domain.ledger.ledger import CASH, Transfer
from softix_proxy.domain.ports.storage import Storage


async def test_wallet_with_credit_has_the_sum_of_both_available(storage: Storage) -> None:
    async with storage.writing() as unit:
        await unit.balance.set_credit(1, 500)
    wallet = await storage.reading().balance.get(1)
    assert wallet == Wallet(1, POSTED_PICO, 0, 500) and wallet.available_pico == POSTED_PICO + 500
    assert (await storage.reading().balance.get(2)).credit_pico == 0
    with pytest.raises(NotFoundError):
        await storage.reading().balance.get(3)


async def test_balance_history_after_postings_has_the_balance_after_each(storage: Storage, books: Books) -> None:
    async with storage.writing() as unit:
        await unit.ledger.post(Transfer(0, CASH, 1, 5 * USD, "top-up", "pay-1", "invoice 1"))
        await unit.ledger.post(Transfer(0, CASH, 2, 9 * USD, "top-up"))
    await books.settle([make_settlement(make_intent(1, 0), charge_pico=USD)], NOW_US)
    history = await storage.reading().balance.history(1, 10)
    assert history == [
        WalletEntry(NOW_US + 2, "charge", -USD, POSTED_PICO + 4 * USD, None, None),
        WalletEntry(NOW_US, "top-up", 5 * USD, POSTED_PICO + 5 * USD, "pay-1", "invoice 1"),
        WalletEntry(1, "top-up", POSTED_PICO, POSTED_PICO, None, None),
    ]
    assert await storage.reading().balance.history(1, 1) == history[:1]
