"""Who may change whose role, and what becomes of the keys of a member who goes."""

from __future__ import annotations

from typing import Any

import pytest
from support.organisation import join, own, project

from softix_proxy.domain.access.keys import KeyStatus
from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.access.users import User, UserRole
from softix_proxy.domain.core.errors import ConflictError, NotFoundError
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.domain.organisations.key_owners import KeyOwner
from softix_proxy.domain.organisations.organisations import OPERATOR, Actor, Membership
from softix_proxy.operations.access import keys, users
from softix_proxy.operations.accounts import account_view, accounts
from softix_proxy.operations.metering import budgets
from softix_proxy.operations.organisations import organisations
from softix_proxy.storage.sqlite.unit import SqliteStorage

OWNER, ADMIN, BILLING, MEMBER, VIEWER = OrganisationRole


@pytest.fixture
async def staff(books: SqliteStorage, ada: User) -> dict[str, Membership]:
    """One member of each role in ada's organisation, by the name of the role."""
    return {role.value: await join(books, role.value, role, ada.public_id) for role in OrganisationRole}


async def roles(books: SqliteStorage, user_id: int) -> dict[int, OrganisationRole]:
    return {each.account_id: each.role for each in await books.reading().memberships.of_organisation(user_id)}


async def test_user_of_an_earlier_version_is_an_organisation_that_an_operator_sees(
    books: SqliteStorage, ada: User
) -> None:
    [standing] = await organisations.list_all(books)
    assert organisations.as_fields(standing)["members"] == 0
    assert await organisations.show(books, "ada") == standing
    assert await organisations.members(books, "ada", OPERATOR) == []
    await join(books, "alan", OWNER, ada.public_id)
    assert (await organisations.show(books, "ada@example.org")).owners == 1


async def test_members_are_listed_with_their_role_and_active_keys(
    books: SqliteStorage, maker: Any, ada: User, staff: dict[str, Membership]
) -> None:
    for label in ("one", "two"):
        issued = await keys.create(books, maker, user="ada", label=label)
        await own(books, issued.key.id, account_id=staff["member"].account_id)
    await keys.revoke(books, "two")
    changed = await organisations.set_role(books, "ada", "acc_member", MEMBER, OPERATOR)
    assert changed.active_keys == 1
    found = await organisations.members(books, "ada", staff["viewer"])
    assert {each.membership.role: each.active_keys for each in found} == {
        OWNER: 0,
        ADMIN: 0,
        BILLING: 0,
        MEMBER: 1,
        VIEWER: 0,
    }
    assert list(organisations.member_fields(found[0])) == [
        "id",
        "email",
        "display_name",
        "role",
        "active_keys",
        "since",
    ]


ALLOWED = {("owner", role.value) for role in OrganisationRole} | {
    ("admin", role) for role in ("admin", "billing", "member", "viewer")
}


@pytest.mark.parametrize("asked", [role.value for role in OrganisationRole])
@pytest.mark.parametrize("by", [role.value for role in OrganisationRole])
async def test_role_that_a_form_asks_for_is_given_only_by_those_who_have_its_rights(
    books: SqliteStorage, ada: User, staff: dict[str, Membership], by: str, asked: str
) -> None:
    """Case 32: LiteLLM#8740 let users raise their own role, scrob#232 took `role` from a form."""
    target = staff["member"]
    change = organisations.set_role(books, "ada", "acc_member", OrganisationRole(asked), staff[by])
    if (by, asked) in ALLOWED:
        await change
        assert (await roles(books, ada.id))[target.account_id] is OrganisationRole(asked)
        [event] = await books.reading().security_events.list(target.account_id, 9)
        assert (event.kind, event.subject, event.address) == ("role_changed", ada.public_id, "")
        return
    with pytest.raises((NotFoundError, ConflictError)):
        await change
    assert (await roles(books, ada.id))[target.account_id] is MEMBER


async def test_nobody_raises_the_own_role(books: SqliteStorage, ada: User, staff: dict[str, Membership]) -> None:
    with pytest.raises(ConflictError, match="own role"):
        await organisations.set_role(books, "ada", "acc_admin", OWNER, staff["admin"])
    for role in (BILLING, MEMBER, VIEWER):
        with pytest.raises(NotFoundError):
            await organisations.set_role(books, "ada", f"acc_{role}", ADMIN, staff[role])
    await organisations.set_role(books, "ada", "acc_admin", VIEWER, staff["admin"])
    assert (await roles(books, ada.id))[staff["admin"].account_id] is VIEWER, "a lower one is free to take"


async def test_right_that_was_taken_meanwhile_counts_no_more(
    books: SqliteStorage, ada: User, staff: dict[str, Membership]
) -> None:
    """The page was opened as an admin, and the form comes after the role was changed."""
    await organisations.set_role(books, "ada", "acc_admin", MEMBER, staff["owner"])
    with pytest.raises(NotFoundError):
        await organisations.set_role(books, "ada", "acc_viewer", ADMIN, staff["admin"])


async def test_admin_changes_and_removes_no_owner(
    books: SqliteStorage, ada: User, staff: dict[str, Membership]
) -> None:
    await join(books, "second", OWNER, ada.public_id)
    with pytest.raises(ConflictError, match="owner"):
        await organisations.set_role(books, "ada", "acc_owner", VIEWER, staff["admin"])
    with pytest.raises(ConflictError, match="owner"):
        await organisations.remove(books, "ada", "acc_owner", staff["admin"])


@pytest.mark.parametrize("change", ["left", "lowered"])
async def test_last_owner_who_can_sign_in_stays_one_until_an_operator_changes_it(
    books: SqliteStorage, staff: dict[str, Membership], change: str
) -> None:
    """A disabled owner was counted, and nobody was left who could make another."""
    await join(books, "second", OWNER, "ada")
    await accounts.disable(books, "acc_second")
    with pytest.raises(ConflictError, match="at least one owner"):
        if change == "left":
            await organisations.leave(books, "ada", staff["owner"])
        else:
            await organisations.set_role(books, "ada", "acc_owner", ADMIN, staff["owner"])
    await organisations.set_role(books, "ada", "acc_owner", ADMIN, OPERATOR)


async def test_owner_removes_an_owner_whose_account_is_disabled(
    books: SqliteStorage, staff: dict[str, Membership]
) -> None:
    await join(books, "second", OWNER, "ada")
    await accounts.disable(books, "acc_second")
    await organisations.remove(books, "ada", "acc_second", staff["owner"])
    assert (await organisations.show(books, "ada")).owners == 1


@pytest.mark.parametrize("by", ["operator", "owner"])
async def test_organisation_never_loses_its_last_owner(
    books: SqliteStorage, ada: User, staff: dict[str, Membership], by: str
) -> None:
    actor: Actor = OPERATOR if by == "operator" else staff["owner"]
    for change in (
        organisations.set_role(books, "ada", "acc_owner", ADMIN, actor),
        organisations.remove(books, "ada", "acc_owner", actor),
        organisations.leave(books, "ada", staff["owner"]),
    ):
        with pytest.raises(ConflictError, match="at least one owner"):
            await change
    await organisations.set_role(books, "ada", "acc_admin", OWNER, staff["owner"])
    await organisations.leave(books, "ada", staff["owner"])
    assert OWNER in (await roles(books, ada.id)).values()


async def test_stranger_finds_no_organisation_member_or_list(
    books: SqliteStorage, ada: User, staff: dict[str, Membership]
) -> None:
    await users.create(books, name="bob", email="bob@example.org", role=UserRole.USER, postpaid=False)
    stranger = await join(books, "eve", OWNER, "bob")
    for change in (
        organisations.members(books, "ada", stranger),
        organisations.set_role(books, "ada", "acc_member", VIEWER, stranger),
        organisations.remove(books, ada.public_id, "acc_member", stranger),
        organisations.set_role(books, "bob", "acc_member", VIEWER, stranger),
        organisations.set_role(books, "bob", "acc_nobody", VIEWER, stranger),
        organisations.leave(books, "ada", stranger),
    ):
        with pytest.raises(NotFoundError):
            await change
    assert len(await roles(books, ada.id)) == 5


async def test_membership_of_another_organisation_opens_none(
    books: SqliteStorage, ada: User, staff: dict[str, Membership]
) -> None:
    """A member of two organisations acts in the one whose page it is."""
    bob = await users.create(books, name="bob", email="bob@example.org", role=UserRole.USER, postpaid=False)
    async with books.writing() as unit:
        both = Membership(staff["member"].account_id, bob.id, OWNER, 1)
        await unit.memberships.add(both)
    with pytest.raises(NotFoundError):
        await organisations.set_role(books, "ada", "acc_viewer", ADMIN, both)
    assert [each.organisation.name for each in await account_view.joined(books, both.account_id)] == ["ada", "bob"]


async def test_keys_of_a_removed_member_are_revoked_at_once(
    books: SqliteStorage, maker: Any, ada: User, staff: dict[str, Membership]
) -> None:
    bot = await project(books, "bot", ada.id)
    leaving, other = staff["member"], staff["admin"]
    for label, account_id in (("mine", leaving.account_id), ("other", other.account_id), ("nobody", None)):
        issued = await keys.create(books, maker, user="ada", label=label)
        await own(books, issued.key.id, account_id=account_id, project_id=bot.id)
    await budgets.set_to(books, "ada", 5, "day", OPERATOR, member="acc_member")
    await budgets.set_to(books, "ada", 5, "day", OPERATOR, project="bot")
    removed = await organisations.remove(books, "ada", "acc_member", staff["admin"])
    assert (removed.revoked_keys, removed.handed_over_keys) == (1, 0)
    assert {key.label: key.status for key in await keys.list_all(books)} == {
        "mine": KeyStatus.REVOKED,
        "other": KeyStatus.ACTIVE,
        "nobody": KeyStatus.ACTIVE,
    }
    assert leaving.account_id not in await roles(books, ada.id)
    assert [each.project for each in await budgets.list_all(books, "ada", OPERATOR)] == [bot], "the own budget is gone"
    assert [event.kind for event in await books.reading().security_events.list(leaving.account_id, 9)] == [
        "member_removed"
    ]


async def test_revoked_keys_of_a_removed_member_are_told_to_those_who_stay(
    books: SqliteStorage, maker: Any, ada: User, staff: dict[str, Membership]
) -> None:
    for label in ("mine", "ended"):
        issued = await keys.create(books, maker, user="ada", label=label)
        await own(books, issued.key.id, account_id=staff["member"].account_id)
    await keys.revoke(books, "ended")
    told = len(await books.reading().outbox.list(None, 99))
    await organisations.remove(books, "ada", "acc_member", OPERATOR)
    queued = await books.reading().outbox.list(None, 99)
    new = [each.notice for each in queued[: len(queued) - told]]
    assert {notice.email for notice in new} == {"owner@example.org", "admin@example.org"} and len(new) == 2
    assert {notice.kind for notice in new} == {NoticeKind.KEY_REVOKED}
    assert all(notice.values["key"].startswith("mine ") for notice in new)


async def test_keys_of_a_removed_member_go_to_another_one_if_asked(
    books: SqliteStorage, maker: Any, ada: User, staff: dict[str, Membership]
) -> None:
    bot = await project(books, "bot", ada.id)
    issued = await keys.create(books, maker, user="ada", label="mine")
    await own(books, issued.key.id, account_id=staff["member"].account_id, project_id=bot.id)
    for heir in ("acc_viewer", "acc_billing", "acc_member"):
        with pytest.raises(ConflictError, match="may have keys"):
            await organisations.remove(books, "ada", "acc_member", OPERATOR, hand_keys_to=heir)
    removed = await organisations.remove(books, "ada", "acc_member", OPERATOR, hand_keys_to="acc_admin")
    assert (removed.revoked_keys, removed.handed_over_keys) == (0, 1)
    [key] = await keys.list_all(books)
    assert key.status is KeyStatus.ACTIVE
    assert await books.reading().key_owners.get(key.id) == KeyOwner(staff["admin"].account_id, bot.id)


async def test_role_and_membership_leave_the_directory_as_it_is(
    books: SqliteStorage, ada: User, staff: dict[str, Membership]
) -> None:
    revision = (await books.changes(0)).revision
    await organisations.set_role(books, "ada", "acc_member", VIEWER, staff["owner"])
    await organisations.leave(books, "ada", staff["billing"])
    assert (await books.changes(0)).revision == revision
