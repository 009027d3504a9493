from dataclasses import replace

import pytest
from support.people import ADA, People

from softix_proxy.domain.accounts.account_tokens import AccountToken, TokenPurpose
from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.operations.accounts import account_tokens, accounts

RESET, VERIFY = TokenPurpose.RESET_PASSWORD, TokenPurpose.VERIFY_EMAIL


async def issue(people: People, purpose: TokenPurpose = RESET, email: str = ADA) -> str:
    account = await people.account()
    async with people.storage.writing() as unit:
        return await account_tokens.issue(unit, purpose, email, account_id=account.id)


async def consume(people: People, text: str, *purposes: TokenPurpose) -> AccountToken:
    async with people.storage.writing() as unit:
        return await account_tokens.consume(unit, text, purposes)


@pytest.mark.parametrize("purpose", list(TokenPurpose))
async def test_token_of_each_purpose_has_an_end(people: People, purpose: TokenPurpose) -> None:
    await people.register()
    text = await issue(people, purpose)
    people.clock.us += account_tokens.LASTS_US[purpose] - 1
    assert (await account_tokens.look(people.storage.reading(), text, (purpose,))).email == ADA
    people.clock.us += 1
    with pytest.raises(AccountRefusedError) as refused:
        await account_tokens.look(people.storage.reading(), text, (purpose,))
    assert refused.value.reason is AccountRefusal.LINK_ENDED


async def test_token_is_consumed_once_and_for_one_of_its_purposes(people: People) -> None:
    await people.register()
    text = await issue(people)
    with pytest.raises(AccountRefusedError):
        await consume(people, text, VERIFY)
    assert (await consume(people, text, VERIFY, RESET)).purpose is RESET
    with pytest.raises(AccountRefusedError):
        await consume(people, text, VERIFY, RESET)


async def test_token_that_is_stored_opens_nothing(people: People) -> None:
    await people.register()
    text = await issue(people)
    [(digest,)] = await people.storage.reading()._session.all(
        "SELECT digest FROM account_tokens WHERE purpose = 'reset_password'"
    )
    assert text.encode() not in digest and len(digest) == 32
    with pytest.raises(AccountRefusedError):
        await consume(people, digest.hex(), RESET)


async def test_holder_of_a_token_is_the_active_account_with_the_address_it_was_sent_to(people: People) -> None:
    await people.register()
    account = await people.account()
    token = AccountToken(b"", RESET, account.id, "ADA@example.org", 1, 2)
    assert await account_tokens.holder(people.storage.reading(), token) == account
    for other in (replace(token, email="ada@example.net"), replace(token, account_id=None)):
        with pytest.raises(AccountRefusedError):
            await account_tokens.holder(people.storage.reading(), other)
    await accounts.disable(people.storage, ADA)
    with pytest.raises(AccountRefusedError) as refused:
        await account_tokens.holder(people.storage.reading(), token)
    assert refused.value.reason is AccountRefusal.DISABLED
