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


@pytest.mark.parametrize("name", ["", " ada", "a\nb", "<b>", "victim@example.org", "usr_aaaaaaaaaaaaaaaa"])
async def test_user_with_a_bad_name_is_refused(books: SqliteStorage, ada: User, name: str) -> None:
    with pytest.raises(BadInputError):
        await users.create(books, name=name, email="x@example.org", role=UserRole.USER, postpaid=False)
    with pytest.raises(BadInputError):
        await users.update(books, "ada", name=name)


@pytest.mark.parametrize("name", ["a", "Ada Lovelace", "Zoë", "o'brien-2.b", "a" * 64])
async def test_user_with_a_plain_name_is_created(books: SqliteStorage, name: str) -> None:
    made = await users.create(books, name=name, email="x@example.org", role=UserRole.USER, postpaid=True)
    assert made.name == name and made.postpaid


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ada",
        "a@example.org,evil",
        "<script>@example.org",
        "ada\x01@example.org",
        "mıke@example.org",
        "a@" + "x" * 200,
    ],
)
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


async def test_names_are_those_of_all_users_by_their_numbers(books: SqliteStorage, ada: User) -> None:
    eve = await users.create(books, name="eve", email="eve@example.org", role=UserRole.USER, postpaid=False)
    assert await users.names(books) == {ada.id: "ada", eve.id: "eve"}


async def test_user_display_name_is_set_with_the_user_changed_and_removed(books: SqliteStorage, ada: User) -> None:
    eve = await users.create(
        books, name="eve", email="eve@example.org", role=UserRole.USER, postpaid=False, display_name="Anne-Marie (Ops)"
    )
    assert await users.display_names(books) == {eve.id: "Anne-Marie (Ops)"}
    assert await users.update(books, "eve", display_name="O’Brien") == eve
    assert await users.display_names(books) == {eve.id: "O’Brien"}
    await users.update(books, "eve", display_name="")
    assert await users.display_names(books) == {}
    with pytest.raises(BadInputError):
        await users.create(
            books, name="b", email="b@example.org", role=UserRole.USER, postpaid=False, display_name="a\x1b[2Jb"
        )
    assert len(await users.list_all(books)) == 2, "nothing half done"


async def test_payer_is_found_by_id_or_email_and_never_by_name(books: SqliteStorage, ada: User) -> None:
    unit = books.reading()
    assert await users.find_payer(unit, ada.public_id) == await users.find_payer(unit, "ADA@example.org") == ada
    with pytest.raises(BadInputError) as refused:
        await users.find_payer(unit, "ada")
    assert refused.value.remedy.endswith(f"softix users show {ada.public_id}")
    for unknown in ("eve", "eve@example.org", "usr_eve"):
        with pytest.raises(NotFoundError):
            await users.find_payer(unit, unknown)
