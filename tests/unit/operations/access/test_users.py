from typing import Any

import pytest
from support.books import NOW_US

from softix_proxy.domain.access.users import User, UserRole, UserStatus
from softix_proxy.domain.core.errors import BadInputError, ConflictError, NotFoundError
from softix_proxy.operations.access import users
from softix_proxy.storage.sqlite.unit import SqliteStorage


async def test_user_after_creation_is_listed_and_shown(books: SqliteStorage, ada: User) -> None:
    assert (ada.name, ada.status, ada.created_at_us) == ("ada", UserStatus.ACTIVE, NOW_US)
    assert await users.show(books, "ADA") == await users.show_number(books, ada.id) == ada
    assert await users.list_all(books) == [ada]
    with pytest.raises(NotFoundError):
        await users.show(books, "eve")


@pytest.mark.parametrize("name", ["", " ada", "ada ", "a\nb", "-ada", "a" * 65, "<b>"])
async def test_user_with_a_bad_name_is_refused(books: SqliteStorage, ada: User, name: str) -> None:
    with pytest.raises(BadInputError):
        await users.create(books, name=name, email="x@example.org", role=UserRole.USER, postpaid=False)
    with pytest.raises(BadInputError):
        await users.update(books, "ada", name=name)


@pytest.mark.parametrize("name", ["a", "Ada Lovelace", "ada@example.org", "Zoë", "o'brien-2.b", "a" * 64])
async def test_user_with_a_plain_name_is_created(books: SqliteStorage, name: str) -> None:
    made = await users.create(books, name=name, email="x@example.org", role=UserRole.USER, postpaid=True)
    assert made.name == name and made.postpaid


@pytest.mark.parametrize("email", ["", "ada", "@example.org", "a b@example.org", "a@b@c", "a@.org", "a@" + "x" * 200])
async def test_user_with_a_bad_email_is_refused(books: SqliteStorage, email: str) -> None:
    with pytest.raises(BadInputError):
        await users.create(books, name="x", email=email, role=UserRole.USER, postpaid=False)


async def test_user_update_changes_only_the_given_fields(books: SqliteStorage, ada: User) -> None:
    assert await users.update(books, ada.public_id) == ada
    changed = await users.update(books, "ada", role=UserRole.ADMIN, status=UserStatus.DISABLED, postpaid=True)
    assert await users.show(books, "ada") == changed
    assert (changed.role, changed.status, changed.postpaid) == (UserRole.ADMIN, UserStatus.DISABLED, True)


async def test_user_update_with_a_taken_email_is_refused(books: SqliteStorage, ada: User) -> None:
    await users.create(books, name="bob", email="bob@example.org", role=UserRole.USER, postpaid=False)
    with pytest.raises(ConflictError):
        await users.update(books, "bob", email="Ada@example.org")


@pytest.mark.parametrize("password", ["", "x" * 11, "x" * 257, "two\nlines of it", "a\udcffb of bytes"])
async def test_user_password_that_is_bad_is_refused_without_a_quote(
    books: SqliteStorage, maker: Any, ada: User, password: str
) -> None:
    with pytest.raises(BadInputError) as refused:
        await users.set_password(books, maker, "ada", password)
    assert not password or password not in f"{refused.value.message} {refused.value.remedy}"
    assert maker.hashed == []


async def test_user_password_that_is_valid_is_hashed(books: SqliteStorage, maker: Any, ada: User) -> None:
    for password in ("ü" * 12, "correct horse battery"):
        assert await users.set_password(books, maker, "ada@example.org", password) == ada
        assert maker.hashed[-1] == password
    with pytest.raises(NotFoundError):
        await users.set_password(books, maker, "eve", password)
