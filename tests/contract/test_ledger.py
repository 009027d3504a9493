from dataclasses import replace

import pytest
from support.books import NOW_US, POSTED_PICO

from softix_proxy.domain.core.errors import BadInputError, FailureError, NotFoundError
from softix_proxy.domain.core.money import MAX_PICO
from softix_proxy.domain.ledger.ledger import ADJUSTMENTS, CASH, AccountBalance, Transfer, VerificationResult
from softix_proxy.domain.ports.storage import Storage

TOP_UP = Transfer(0, CASH, 1, 500, "top-up", "pay-1", "invoice 1")


async def post(storage: Storage, *transfers: Transfer) -> list[Transfer]:
    async with storage.writing() as unit:
        return [await unit.ledger.post(transfer) for transfer in transfers]


async def posted_pico(storage: Storage, user: int) -> int:
    return (await storage.reading().balance.get(user)).posted_pico


async def test_posting_gets_its_time_as_its_number_and_moves_the_wallet(storage: Storage) -> None:
    first, second = await post(storage, TOP_UP, replace(TOP_UP, reference=None))
    assert first == replace(TOP_UP, id=NOW_US) and second.id == NOW_US + 1
    assert await posted_pico(storage, 1) == POSTED_PICO + 1000
    assert await storage.reading().ledger.by_reference("pay-1") == first
    assert await storage.reading().ledger.by_reference("pay-2") is None


async def test_transfer_between_two_wallets_moves_both(storage: Storage) -> None:
    await post(storage, Transfer(0, 1, 2, 300, "correction"))
    assert [await posted_pico(storage, user) for user in (1, 2)] == [POSTED_PICO - 300, POSTED_PICO + 300]


async def test_transfer_with_a_reference_that_is_taken_is_refused(storage: Storage) -> None:
    await post(storage, TOP_UP)
    with pytest.raises(FailureError):
        await post(storage, replace(TOP_UP, to_account=2))
    assert await posted_pico(storage, 2) == POSTED_PICO


@pytest.mark.parametrize(
    "transfer",
    [Transfer(0, CASH, 1, MAX_PICO, "top-up"), Transfer(0, 1, ADJUSTMENTS, MAX_PICO, "adjustment")],
)
async def test_transfer_that_exceeds_64_bits_of_a_wallet_is_refused(storage: Storage, transfer: Transfer) -> None:
    if transfer.from_account == 1:
        await post(storage, Transfer(0, 1, ADJUSTMENTS, 2 * POSTED_PICO, "adjustment"))
    before = await posted_pico(storage, 1)
    with pytest.raises(BadInputError, match="too large"):
        await post(storage, transfer)
    assert await posted_pico(storage, 1) == before


async def test_ledger_accounts_after_postings_sum_all_wallets_in_one(storage: Storage) -> None:
    await post(storage, Transfer(0, ADJUSTMENTS, 1, 7, "adjustment"))
    assert await storage.reading().ledger.accounts() == [
        AccountBalance("cash", -2 * POSTED_PICO),
        AccountBalance("revenue", 0),
        AccountBalance("adjustments", -7),
        AccountBalance("wallets", 2 * POSTED_PICO + 7),
    ]


async def test_ledger_with_correct_books_verifies_without_violations(storage: Storage) -> None:
    await post(storage, TOP_UP)
    async with storage.snapshot() as unit:
        assert await unit.ledger.verify() == VerificationResult(3, 0, 0, ())


async def test_transfer_of_more_than_64_bits_is_refused(storage: Storage) -> None:
    with pytest.raises(BadInputError, match="too large"):
        await post(storage, Transfer(0, CASH, 1, MAX_PICO + 1, "top-up"))
    assert await posted_pico(storage, 1) == POSTED_PICO


@pytest.mark.parametrize("transfer", [Transfer(0, CASH, 9, 5, "top-up"), Transfer(0, 1, 9, 5, "correction")])
async def test_transfer_to_an_unknown_user_is_refused(storage: Storage, transfer: Transfer) -> None:
    with pytest.raises(NotFoundError):
        await post(storage, transfer)
    async with storage.snapshot() as unit:
        assert await unit.ledger.verify() == VerificationResult(2, 0, 0, ())


async def test_transfer_of_all_that_64_bits_hold_is_posted(storage: Storage) -> None:
    """Ada's wallet is emptied first."""
    await post(storage, Transfer(0, 1, ADJUSTMENTS, await posted_pico(storage, 1), "adjustment"))
    await post(storage, Transfer(0, CASH, 1, MAX_PICO, "top-up"))
    assert await posted_pico(storage, 1) == MAX_PICO
