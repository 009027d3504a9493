from dataclasses import replace

import pytest

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.core.errors import ConflictError
from softix_proxy.domain.organisations.organisations import Membership
from softix_proxy.domain.ports.storage import Storage

pytestmark = pytest.mark.usefixtures("people")
ADA, BOB = 1, 2
OWNER = Membership(account_id=ADA, user_id=1, role=OrganisationRole.OWNER, created_at_us=10)


async def add(storage: Storage, *memberships: Membership) -> None:
    async with storage.writing() as unit:
        for membership in memberships:
            await unit.memberships.add(membership)


async def test_memberships_are_listed_by_account_and_by_organisation_from_the_oldest(storage: Storage) -> None:
    second = replace(OWNER, user_id=2, role=OrganisationRole.VIEWER, created_at_us=5)
    colleague = replace(OWNER, account_id=BOB, role=OrganisationRole.BILLING, created_at_us=20)
    await add(storage, OWNER, second, colleague)
    members = storage.reading().memberships
    assert await members.of_account(ADA) == [second, OWNER]
    assert await members.of_account(BOB) == [colleague]
    assert await members.of_organisation(1) == [OWNER, colleague]
    assert await members.of_organisation(2) == [second]
    assert await members.of_account(3) == []
    assert await members.find(BOB, colleague.user_id) == colleague
    assert await members.find(3, colleague.user_id) is None


async def test_account_that_is_a_member_already_is_refused(storage: Storage) -> None:
    await add(storage, OWNER)
    with pytest.raises(ConflictError):
        await add(storage, replace(OWNER, role=OrganisationRole.VIEWER))
    assert await storage.reading().memberships.of_account(ADA) == [OWNER]


async def test_membership_changes_its_role_and_ends(storage: Storage) -> None:
    other = replace(OWNER, account_id=BOB)
    await add(storage, OWNER, other)
    async with storage.writing() as unit:
        await unit.memberships.set_role(ADA, 1, OrganisationRole.ADMIN)
    assert await storage.reading().memberships.of_account(ADA) == [replace(OWNER, role=OrganisationRole.ADMIN)]
    async with storage.writing() as unit:
        await unit.memberships.remove(ADA, 1)
    assert await storage.reading().memberships.of_organisation(1) == [other]


async def test_membership_that_ended_is_remembered_even_if_the_account_joins_again(storage: Storage) -> None:
    await add(storage, OWNER, replace(OWNER, user_id=2))
    assert not await storage.reading().memberships.has_ended(ADA, 1)
    for _ in range(2):
        async with storage.writing() as unit:
            await unit.memberships.remove(ADA, 1)
            await unit.memberships.remove(BOB, 1)
        assert await storage.reading().memberships.has_ended(ADA, 1)
        await add(storage, OWNER)
    assert await storage.reading().memberships.has_ended(ADA, 1)
    assert not await storage.reading().memberships.has_ended(ADA, 2)
    assert not await storage.reading().memberships.has_ended(BOB, 1), "it was none"


async def test_membership_leaves_the_directory_as_it_is(storage: Storage) -> None:
    revision = (await storage.changes(0)).revision
    await add(storage, OWNER)
    async with storage.writing() as unit:
        await unit.memberships.set_role(ADA, 1, OrganisationRole.ADMIN)
        await unit.memberships.remove(ADA, 1)
    assert (await storage.changes(0)).revision == revision
