from softix_proxy.domain.access.users import User
from softix_proxy.domain.ledger.ledger import VerificationResult
from softix_proxy.operations.ledger import balance, ledger
from softix_proxy.storage.sqlite.unit import SqliteStorage


async def test_ledger_after_payments_and_adjustments_is_balanced(books: SqliteStorage, ada: User) -> None:
    await balance.add(books, "ada@example.org", 500)
    await balance.set_to(books, "ada@example.org", -20)
    assert await ledger.verify(books) == VerificationResult(2, 0, 0, ())
    accounts = {account.name: account.balance_pico for account in await ledger.accounts(books)}
    assert accounts == {"cash": -500, "revenue": 0, "adjustments": 520, "wallets": -20}
