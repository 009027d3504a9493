from typing import Any

from support.books import USD

from softix_proxy.demo.models import models
from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.catalog.providers import ProviderType
from softix_proxy.operations.access import keys
from softix_proxy.operations.accounts import accounts
from softix_proxy.operations.catalog import providers
from softix_proxy.operations.instance import quickstart
from softix_proxy.operations.ledger import balance
from softix_proxy.storage.sqlite.unit import SqliteStorage


async def test_quickstart_creates_a_provider_a_funded_user_and_a_key(books: SqliteStorage, maker: Any) -> None:
    prepared = await quickstart.prepare(books, maker, models())
    assert prepared.key_text is not None and prepared.key_text not in repr(prepared.key)
    assert prepared.user.name == "demo" and prepared.key.user_id == prepared.user.id
    assert (await balance.show(books, "demo")).posted_pico == 5 * USD
    [provider] = await providers.list_all(books)
    assert (provider.name, provider.type) == ("demo", ProviderType.DEMO)
    async with books.snapshot() as unit:
        assert {model.name for model in await unit.models.list()} == {model.name for model in models()}
        assert len(await unit.prices.list()) == len(models())


async def test_quickstart_a_second_time_changes_nothing(books: SqliteStorage, maker: Any) -> None:
    first = await quickstart.prepare(books, maker, models())
    second = await quickstart.prepare(books, maker, models())
    assert (second.user, second.key, second.key_text) == (first.user, first.key, None)
    assert (await balance.show(books, "demo")).posted_pico == 5 * USD


async def test_quickstart_after_the_key_was_revoked_creates_another(books: SqliteStorage, maker: Any) -> None:
    first = await quickstart.prepare(books, maker, models())
    await keys.revoke(books, first.key.public_id)
    second = await quickstart.prepare(books, maker, models())
    assert second.key_text is not None and second.key.public_id != first.key.public_id


async def test_quickstart_account_is_entered_by_a_link_until_it_has_a_password(
    books: SqliteStorage, maker: Any
) -> None:
    await quickstart.prepare(books, maker, models())
    first = await quickstart.prepare_account(books, maker)
    second = await quickstart.prepare_account(books, maker)
    assert first.startswith("/reset?token=")
    assert second.startswith("/reset?token=")
    assert first != second
    account = (await accounts.show(books, quickstart.EMAIL)).account
    assert account.role == UserRole.ADMIN
    [membership] = await books.reading().memberships.of_account(account.id)
    assert membership.role is OrganisationRole.OWNER
    async with books.writing() as unit:
        await unit.accounts.set_password_hash(account.id, "$argon2id$")
    assert await quickstart.prepare_account(books, maker) == "/sign-in"
