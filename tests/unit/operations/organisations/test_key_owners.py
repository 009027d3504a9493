"""Whose a key is, and who may change that."""

from typing import Any

import pytest
from support.organisation import join, project

from softix_proxy.domain.access.users import User
from softix_proxy.domain.core.errors import ConflictError
from softix_proxy.domain.organisations.key_owners import KeyOwner
from softix_proxy.domain.organisations.organisations import OPERATOR, OrganisationRole
from softix_proxy.operations.access import keys
from softix_proxy.operations.organisations import key_owners, projects
from softix_proxy.storage.sqlite.unit import SqliteStorage

OWNER, ADMIN, BILLING, MEMBER, VIEWER = OrganisationRole


async def test_key_is_given_to_project_and_member_one_after_the_other(
    books: SqliteStorage, maker: Any, ada: User
) -> None:
    bot, member = await project(books, "bot", ada.id), await join(books, "member", MEMBER, "ada")
    key = (await keys.create(books, maker, user="ada", label="ci")).key
    await keys.create(books, maker, user="ada", label="free")
    await key_owners.assign(books, "ada", "ci", OPERATOR, project="bot")
    owned = await key_owners.assign(books, "ada", "ci", OPERATOR, member="member@example.org")
    assert key_owners.as_fields(owned) == {
        "key": key.public_id,
        "name": "ci",
        "project": bot.public_id,
        "member": "acc_member",
    }
    assert [each.label for each in (await projects.show(books, "ada", "bot", OPERATOR)).keys] == ["ci"]
    assert [each.label for each in await key_owners.elsewhere(books, "ada", "bot", OPERATOR)] == ["free"]
    await key_owners.assign(books, "ada", "ci", OPERATOR, project="")
    assert await books.reading().key_owners.get(key.id) == KeyOwner(member.account_id)


@pytest.mark.parametrize("role", [VIEWER, BILLING])
async def test_key_goes_to_no_member_who_may_have_none(
    books: SqliteStorage, maker: Any, ada: User, role: OrganisationRole
) -> None:
    await keys.create(books, maker, user="ada", label="ci")
    await join(books, "grace", role, "ada")
    with pytest.raises(ConflictError):
        await key_owners.assign(books, "ada", "ci", OPERATOR, member="acc_grace")
