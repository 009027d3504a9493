from pathlib import Path

import pytest
from support.books import POSTED_PICO, make_database

from softix_proxy.storage.sqlite.core.engine import DatabaseError
from softix_proxy.storage.sqlite.ledger.ledger import SqliteLedgerStore


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE transfers SET amount_pico = 1",
        "DELETE FROM transfers",
        "INSERT INTO transfers VALUES (9, -1, 1, 0, 'top-up', NULL, NULL)",
        "INSERT INTO transfers VALUES (9, 1, 1, 5, 'top-up', NULL, NULL)",
        "INSERT INTO transfers VALUES (9, -1, 1, 5, 'gift', NULL, NULL)",
        "UPDATE wallets SET held_pico = -1",
        "UPDATE wallets SET credit_pico = -1",
    ],
)
async def test_ledger_tables_refuse_a_statement_that_breaks_the_books(tmp_path: Path, statement: str) -> None:
    connection = make_database(tmp_path).connect()
    with pytest.raises(DatabaseError):
        connection.execute(statement)
    connection.close()


async def test_account_balances_beyond_64_bits_are_exact(tmp_path: Path) -> None:
    database = await make_database(tmp_path).open()
    async with database.transaction() as session:
        for number in range(3, 8):
            await session.run(
                "INSERT INTO transfers VALUES (?, -1, -3, ?, 'correction', NULL, NULL)", number, 2**63 - 1
            )
    accounts = {account.name: account.balance_pico for account in await SqliteLedgerStore(database.session).accounts()}
    await database.close()
    assert accounts["adjustments"] == 5 * (2**63 - 1)
    assert accounts["cash"] == -accounts["adjustments"] - 2 * POSTED_PICO
    assert sum(accounts.values()) == 0
