import asyncio
from dataclasses import replace

import pytest

from softix_proxy.domain.accounts.account_tokens import AccountToken, TokenPurpose
from softix_proxy.domain.ports.storage import Storage

pytestmark = pytest.mark.usefixtures("people")
VERIFY, RESET = TokenPurpose.VERIFY_EMAIL, TokenPurpose.RESET_PASSWORD
TOKEN = AccountToken(
    digest=b"one", purpose=VERIFY, account_id=1, email="ada@example.org", created_at_us=10, expires_at_us=100
)


async def add(storage: Storage, *tokens: AccountToken) -> None:
    async with storage.writing() as unit:
        for token in tokens:
            await unit.account_tokens.add(token)


async def consume(storage: Storage, digest: bytes, purpose: TokenPurpose = VERIFY, now_us: int = 50) -> bool:
    async with storage.writing() as unit:
        return await unit.account_tokens.consume(digest, purpose, now_us) is not None


async def test_token_is_found_until_it_expires_and_for_its_purpose_only(storage: Storage) -> None:
    await add(storage, TOKEN)
    tokens = storage.reading().account_tokens
    assert await tokens.find(b"one", VERIFY, 99) == TOKEN
    assert await tokens.find(b"one", VERIFY, 100) is None
    assert await tokens.find(b"one", RESET, 50) is None
    assert await tokens.find(b"two", VERIFY, 50) is None


async def test_token_works_once(storage: Storage) -> None:
    await add(storage, TOKEN)
    assert not await consume(storage, b"one", RESET) and not await consume(storage, b"one", now_us=100)
    assert await consume(storage, b"one")
    assert not await consume(storage, b"one")
    assert await storage.reading().account_tokens.find(b"one", VERIFY, 50) is None


async def test_token_that_many_consume_at_once_works_for_one_of_them(storage: Storage) -> None:
    await add(storage, TOKEN)
    assert sorted(await asyncio.gather(*(consume(storage, b"one") for _ in range(5)))) == [False] * 4 + [True]


async def test_newer_token_ends_the_older_ones_of_its_account_and_purpose(storage: Storage) -> None:
    kept = [replace(TOKEN, digest=b"bob", account_id=2), replace(TOKEN, digest=b"reset", purpose=RESET)]
    await add(storage, TOKEN, *kept, replace(TOKEN, digest=b"newer"))
    assert not await consume(storage, b"one")
    assert (
        await consume(storage, b"newer") and await consume(storage, b"bob") and await consume(storage, b"reset", RESET)
    )


async def test_newer_token_of_an_invitation_ends_the_older_one_of_it_only(storage: Storage) -> None:
    invited = replace(TOKEN, purpose=TokenPurpose.INVITATION, account_id=None, invitation_id=3)
    await add(storage, invited, replace(invited, digest=b"other", invitation_id=4), replace(invited, digest=b"newer"))
    for digest, works in ((b"one", False), (b"other", True), (b"newer", True)):
        assert await consume(storage, digest, TokenPurpose.INVITATION) is works


async def test_tokens_of_an_account_end_together(storage: Storage) -> None:
    await add(storage, TOKEN, replace(TOKEN, digest=b"reset", purpose=RESET), replace(TOKEN, digest=b"b", account_id=2))
    async with storage.writing() as unit:
        await unit.account_tokens.end_all(1)
    assert not await consume(storage, b"one") and not await consume(storage, b"reset", RESET)
    assert await consume(storage, b"b")


async def test_tokens_are_purged_once_they_have_expired(storage: Storage) -> None:
    await add(storage, TOKEN, replace(TOKEN, digest=b"later", purpose=RESET, expires_at_us=101))
    async with storage.writing() as unit:
        assert await unit.account_tokens.purge(100, 9) == 1
        assert await unit.account_tokens.purge(100, 9) == 0
    assert await consume(storage, b"later", RESET)


async def test_token_of_a_withdrawn_invitation_ends_alone(storage: Storage) -> None:
    invited = replace(TOKEN, purpose=TokenPurpose.INVITATION, account_id=None, invitation_id=3)
    await add(storage, invited, replace(invited, digest=b"other", invitation_id=4), replace(TOKEN, digest=b"two"))
    async with storage.writing() as unit:
        await unit.account_tokens.end_invitation(3)
    assert not await consume(storage, b"one", TokenPurpose.INVITATION)
    assert await consume(storage, b"other", TokenPurpose.INVITATION) and await consume(storage, b"two")
