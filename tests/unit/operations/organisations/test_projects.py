from typing import Any

import pytest
from support.organisation import join, project

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.access.users import User, UserRole
from softix_proxy.domain.core.errors import BadInputError, ConflictError, NotFoundError
from softix_proxy.domain.organisations.organisations import OPERATOR
from softix_proxy.operations.access import keys, users
from softix_proxy.operations.metering import budgets
from softix_proxy.operations.organisations import key_owners, projects
from softix_proxy.storage.sqlite.unit import SqliteStorage

OWNER, ADMIN, BILLING, MEMBER, VIEWER = OrganisationRole


async def test_project_is_made_renamed_and_archived_by_those_who_manage_keys(books: SqliteStorage, ada: User) -> None:
    admin = await join(books, "admin", ADMIN, "ada")
    made = await projects.create(books, "ada", " Support bot ", admin)
    assert (made.name, made.user_id) == ("Support bot", ada.id) and made.public_id.startswith("prj_")
    renamed = await projects.rename(books, "ada", "support BOT", "Help desk", admin)
    assert (await projects.show(books, "ada", made.public_id, admin)).project == renamed
    archived = await projects.archive(books, "ada", "Help desk", admin)
    assert archived.archived_at_us is not None
    assert [each.project for each in await projects.list_all(books, "ada", admin)] == [archived]
    assert projects.as_fields(projects.ProjectStanding(archived, ()))["archived_at"].endswith("Z")


@pytest.mark.parametrize("role", [BILLING, MEMBER, VIEWER])
async def test_member_without_the_right_sees_projects_and_changes_none(
    books: SqliteStorage, ada: User, role: OrganisationRole
) -> None:
    bot = await project(books, "bot", ada.id)
    member = await join(books, "member", role, "ada")
    assert [each.project for each in await projects.list_all(books, "ada", member)] == [bot]
    for change in (
        projects.create(books, "ada", "mine", member),
        projects.rename(books, "ada", "bot", "mine", member),
        projects.archive(books, "ada", "bot", member),
        key_owners.assign(books, "ada", "key_x", member, project="bot"),
    ):
        with pytest.raises(NotFoundError):
            await change


async def test_project_and_key_of_a_stranger_do_not_exist(books: SqliteStorage, maker: Any, ada: User) -> None:
    await users.create(books, name="bob", email="bob@example.org", role=UserRole.USER, postpaid=False)
    bot, stranger = await project(books, "bot", ada.id), await join(books, "eve", OWNER, "bob")
    issued = await keys.create(books, maker, user="ada", label="ci")
    await projects.create(books, "bob", "mine", stranger)
    for change in (
        projects.show(books, "ada", "bot", stranger),
        projects.show(books, "bob", bot.public_id, stranger),
        projects.rename(books, "bob", bot.public_id, "x", stranger),
        projects.archive(books, "bob", "bot", stranger),
        key_owners.assign(books, "bob", issued.key.public_id, stranger, project="mine"),
        key_owners.assign(books, "bob", "ci", stranger, project="mine"),
    ):
        with pytest.raises(NotFoundError):
            await change


@pytest.mark.parametrize("name", ["", "x" * 101, "a\nb", "prj_0123456789abcdef"])
async def test_project_with_an_unusable_name_is_refused(books: SqliteStorage, ada: User, name: str) -> None:
    with pytest.raises(BadInputError):
        await projects.create(books, "ada", name, OPERATOR)


async def test_archived_project_has_no_active_key_and_no_budget(books: SqliteStorage, maker: Any, ada: User) -> None:
    await project(books, "bot", ada.id)
    await keys.create(books, maker, user="ada", label="ci")
    await key_owners.assign(books, "ada", "ci", OPERATOR, project="bot")
    await budgets.set_to(books, "ada", 5, "day", OPERATOR, project="bot")
    with pytest.raises(ConflictError, match="keys"):
        await projects.archive(books, "ada", "bot", OPERATOR)
    await keys.revoke(books, "ci")
    archived = await projects.archive(books, "ada", "bot", OPERATOR)
    assert await budgets.list_all(books, "ada", OPERATOR) == []
    await keys.create(books, maker, user="ada", label="new")
    with pytest.raises(ConflictError, match="archived"):
        await key_owners.assign(books, "ada", "new", OPERATOR, project=archived.public_id)
    with pytest.raises(ConflictError, match="archived"):
        await budgets.set_to(books, "ada", 5, "day", OPERATOR, project=archived.public_id)
