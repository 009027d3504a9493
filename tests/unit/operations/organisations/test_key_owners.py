"""Whose a key is, and who may change that."""

from dataclasses import replace
from typing import Any

import pytest
from support.books import StoppedClock
from support.organisation import join, own, person, project

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.access.users import User, UserStatus
from softix_proxy.domain.core.errors import ConflictError
from softix_proxy.domain.organisations.key_owners import KeyOwner
from softix_proxy.domain.organisations.organisations import OPERATOR, Membership
from softix_proxy.operations.access import keys, users
from softix_proxy.operations.accounts import accounts
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


async def make_keys(books: SqliteStorage, maker: Any, **owners: int | None) -> None:
    """A key of this name for each owner, who is an account or nobody."""
    for label, account_id in owners.items():
        made = await keys.create(books, maker, user="ada", label=label)
        if account_id is not None:
            await own(books, made.key.id, account_id=account_id)


async def left(books: SqliteStorage, account: str) -> list[str]:
    return [each.key.label for each in await key_owners.left_by(books, account)]


async def test_keys_of_a_person_that_do_not_work_are_not_left(
    books: SqliteStorage, maker: Any, stopped_clock: StoppedClock, ada: User
) -> None:
    owner, bob = await join(books, "owner", OWNER, "ada"), await join(books, "bob", MEMBER, "ada")
    await make_keys(books, maker, works=bob.account_id, other=owner.account_id, free=None)
    for label in ("revoked", "expired"):
        await make_keys(books, maker, **{label: bob.account_id})
    await keys.revoke(books, "revoked")
    await keys.update(books, "expired", expires_in_us=1)
    stopped_clock.us += 1
    [found] = await key_owners.left_by(books, "bob@example.org")
    assert (found.key.label, found.organisation) == ("works", ada)
    assert key_owners.left_fields(found) == {
        "id": found.key.public_id,
        "name": "works",
        "organisation": ada.public_id,
        "revoke": f"softix keys revoke {found.key.public_id} --yes",
    }
    await users.update(books, "ada", status=UserStatus.DISABLED)
    assert await left(books, "acc_bob") == []


@pytest.mark.parametrize("role", [OWNER, ADMIN])
async def test_keys_of_an_organisation_are_left_by_the_last_one_who_could_revoke_them(
    books: SqliteStorage, maker: Any, ada: User, role: OrganisationRole
) -> None:
    boss, eve = await join(books, "boss", role, "ada"), await join(books, "eve", MEMBER, "ada")
    viewer = await join(books, "viewer", VIEWER, "ada")
    await make_keys(books, maker, free=None, mine=boss.account_id, hers=eve.account_id, seen=viewer.account_id)
    assert await left(books, "acc_boss") == ["free", "mine", "seen"], "eve revokes her own key, and a viewer none"
    await accounts.disable(books, "acc_eve")
    assert await left(books, "acc_boss") == ["free", "mine", "hers", "seen"]
    second = await join(books, "second", ADMIN, "ada")
    assert await left(books, "acc_boss") == ["mine"]
    async with books.writing() as unit:
        await unit.accounts.update(replace(await unit.accounts.get(second.account_id), verified_at_us=None))
    assert await left(books, "acc_boss") == ["free", "mine", "hers", "seen"]


async def test_keys_that_a_person_could_never_revoke_are_not_left_by_that_person(
    books: SqliteStorage, maker: Any, ada: User
) -> None:
    await join(books, "bob", MEMBER, "ada")
    await make_keys(books, maker, free=None)
    assert await left(books, "acc_bob") == []
    alone = await person(books, "alone")
    assert await left(books, alone.public_id) == []
    async with books.writing() as unit:
        await unit.memberships.add(Membership(alone.id, ada.id, BILLING, 1))
    assert await left(books, alone.public_id) == []
