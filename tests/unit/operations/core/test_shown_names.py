from softix_proxy.domain.access.users import User
from softix_proxy.operations.access import users
from softix_proxy.operations.core.shown_names import name_of
from softix_proxy.storage.sqlite.unit import SqliteStorage


async def test_organisation_is_named_by_its_display_name_or_else_by_its_handle(books: SqliteStorage, ada: User) -> None:
    assert await name_of(books.reading(), ada.id) == "ada"
    await users.update(books, "ada", display_name="Analytical Engines")
    assert await name_of(books.reading(), ada.id) == "Analytical Engines"
