from __future__ import annotations

import pytest
from support.people import new_vault

from softix_proxy.domain.core.errors import BadInputError, RepeatedCallError
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.operations.access.repeatable_calls import OneCall
from softix_proxy.storage.sqlite.unit import SqliteStorage


@pytest.fixture
def vault() -> Vault:
    return new_vault()


def asked(books: SqliteStorage, vault: Vault, key: str = "one", amount: str = "5") -> OneCall:
    return OneCall.of(books, vault, "tok_one", key, "balance.add", {"amount": amount})


async def done(books: SqliteStorage, one: OneCall) -> None:
    async with books.writing() as unit:
        await one.claim(unit)


async def test_repeated_call_gets_the_answer_of_the_first(books: SqliteStorage, vault: Vault) -> None:
    first = asked(books, vault)
    assert await first.earlier_answer() is None
    await done(books, first)
    await first.keep({"value": [1], "exit_code": 0})
    assert await asked(books, vault).earlier_answer() == {"value": [1], "exit_code": 0}
    assert await asked(books, vault, "two").earlier_answer() is None


async def test_call_without_a_kept_answer_is_not_done_again(books: SqliteStorage, vault: Vault) -> None:
    await done(books, asked(books, vault))
    again = asked(books, vault)
    for act in (again.earlier_answer(), done(books, again)):
        with pytest.raises(RepeatedCallError, match="answer was not kept"):
            await act


async def test_key_of_another_request_is_refused(books: SqliteStorage, vault: Vault) -> None:
    await done(books, asked(books, vault))
    with pytest.raises(RepeatedCallError, match="another request"):
        await asked(books, vault, amount="6").earlier_answer()


async def test_second_transaction_of_one_call_passes(books: SqliteStorage, vault: Vault) -> None:
    one = asked(books, vault)
    await done(books, one)
    await done(books, one)


async def test_call_whose_transaction_was_undone_leaves_its_key_free(books: SqliteStorage, vault: Vault) -> None:
    async with books.rehearsal().writing() as unit:
        await asked(books, vault).claim(unit)
    await asked(books, vault).keep({"value": 1, "exit_code": 0})
    assert await asked(books, vault).earlier_answer() is None


@pytest.mark.parametrize("key", ["", "x" * 256, "a\nb", "\u20ac"])
def test_key_that_is_none_is_refused(books: SqliteStorage, vault: Vault, key: str) -> None:
    with pytest.raises(BadInputError, match="1 to 255"):
        asked(books, vault, key)
