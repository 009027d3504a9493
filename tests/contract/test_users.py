from dataclasses import replace

import pytest
from support.engines import Books

from softix_proxy.domain.access.users import User, UserRole, UserStatus
from softix_proxy.domain.core.errors import ConflictError, NotFoundError
from softix_proxy.domain.ledger.balance import Wallet
from softix_proxy.domain.ports.storage import Storage

ADA = User(0, "usr_ada", "Ada", "ada@example.org", UserRole.BILLING, UserStatus.ACTIVE, True, 7)


@pytest.fixture
def storage(empty_books: Books) -> Storage:
    return empty_books.storage


async def add(storage: Storage, **changes: object) -> User:
    async with storage.writing() as unit:
        return await unit.users.add(replace(ADA, **changes))  # type: ignore[arg-type]


async def test_added_user_is_found_by_each_reference_and_has_an_empty_wallet(storage: Storage) -> None:
    added = await add(storage)
    unit = storage.reading()
    assert added == replace(ADA, id=added.id) and added.id > 0
    assert await unit.users.get(added.id) == added and await unit.users.list() == [added]
    assert await unit.balance.get(added.id) == Wallet(added.id, 0, 0, 0)
    for reference in ("usr_ada", "Ada", "ada", "ADA@example.org"):
        assert await unit.users.find(reference) == added
    assert await unit.users.find("eve") is None
    with pytest.raises(NotFoundError):
        await unit.users.get(added.id + 1)


async def test_user_reference_with_an_at_sign_finds_only_the_email_address(storage: Storage) -> None:
    await add(storage, name="usr_eve")
    await add(storage, public_id="usr_two", name="eve@example.org", email="two@example.org")
    assert await storage.reading().users.find("eve@example.org") is None
    eve = await add(storage, public_id="usr_eve", name="eve", email="eve@example.org")
    assert await storage.reading().users.find("usr_eve") == eve
    assert await storage.reading().users.find("eve@example.org") == eve


async def test_user_display_name_is_kept_apart_and_leaves_the_directory_as_it_is(storage: Storage) -> None:
    added = await add(storage)
    revision = (await storage.changes(0)).revision
    for name in ("O’Brien", "Zoë"):
        async with storage.writing() as unit:
            await unit.users.set_display_name(added.id, name)
        assert await storage.reading().users.display_names() == {added.id: name}
    async with storage.writing() as unit:
        await unit.users.set_display_name(added.id, None)
    assert await storage.reading().users.display_names() == {}
    assert (await storage.changes(0)).revision == revision


@pytest.mark.parametrize("other", [{"name": "other"}, {"email": "other@example.org"}])
async def test_user_with_a_name_or_email_that_is_taken_in_any_case_is_refused(
    storage: Storage, other: dict[str, str]
) -> None:
    await add(storage)
    with pytest.raises(ConflictError):
        await add(storage, **{"public_id": "usr_two", "name": "ADA", "email": "ADA@EXAMPLE.ORG", **other})
    assert len(await storage.reading().users.list()) == 1


async def test_user_update_writes_every_column_that_may_change(storage: Storage) -> None:
    added = await add(storage)
    await add(storage, public_id="usr_two", name="two", email="two@example.org")
    changed = replace(
        added, name="Ada L.", email="a@example.net", role=UserRole.ADMIN, status=UserStatus.DISABLED, postpaid=False
    )
    async with storage.writing() as unit:
        await unit.users.update(changed)
        with pytest.raises(ConflictError):
            await unit.users.update(replace(changed, name="TWO"))
    assert await storage.reading().users.get(added.id) == changed


async def test_user_with_a_password_hash_is_read_back_without_it(storage: Storage) -> None:
    added = await add(storage)
    async with storage.writing() as unit:
        await unit.users.set_password_hash(added.id, "$argon2id$…")
        await unit.users.set_password_hash(added.id, None)
    assert await storage.reading().users.get(added.id) == added


async def test_each_change_of_a_user_raises_the_revision(storage: Storage) -> None:
    first = (await storage.changes(0)).revision
    added = await add(storage)
    second = await storage.changes(first)
    assert second.users == (added,) and second.revision > first
    async with storage.writing() as unit:
        await unit.users.update(replace(added, status=UserStatus.DISABLED))
    assert [user.status for user in (await storage.changes(second.revision)).users] == [UserStatus.DISABLED]


async def test_users_pages_are_the_newest_first_and_follow_each_other(storage: Storage) -> None:
    made = [await add(storage, public_id=f"usr_{n}", name=f"user {n}", email=f"u{n}@example.org") for n in range(5)]
    unit = storage.reading()
    assert await unit.users.page("", None, 2) == [made[4], made[3]]
    assert await unit.users.page("", made[3].id, 9) == [made[2], made[1], made[0]]
    assert await unit.users.counts() == {UserStatus.ACTIVE: 5}


@pytest.mark.parametrize("text", ["usr_ada", "aD", "ADA@EXAMPLE", "lovelace"])
async def test_users_page_finds_by_id_name_email_and_display_name(storage: Storage, text: str) -> None:
    ada = await add(storage)
    await add(storage, public_id="usr_two", name="two", email="two@example.net")
    async with storage.writing() as unit:
        await unit.users.set_display_name(ada.id, "Countess of Lovelace")
    assert await storage.reading().users.page(text, None, 9) == [ada]
    assert await storage.reading().users.page("%", None, 9) == []
    assert await storage.reading().users.display_names([ada.id + 1]) == {}
    assert await storage.reading().users.display_names([ada.id]) == {ada.id: "Countess of Lovelace"}
