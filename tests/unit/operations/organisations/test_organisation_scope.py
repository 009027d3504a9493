from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.two_organisations import BOB, FOREIGN_KEY, OWN_KEY, ROLES, Organisations, organisations

from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.core.errors import NotFoundError

CHANGES = {
    OrganisationRole.OWNER: True,
    OrganisationRole.ADMIN: True,
    OrganisationRole.BILLING: False,
    OrganisationRole.MEMBER: True,
    OrganisationRole.VIEWER: False,
}
"""Who may change the key of the one member."""


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Organisations]:
    async with organisations(tmp_path) as made:
        yield made


@pytest.mark.parametrize("role", ROLES)
async def test_key_of_another_organisation_does_not_exist_for_any_role(
    house: Organisations, role: OrganisationRole
) -> None:
    scope = await house.scope(role)
    assert (await scope.key(house.storage.reading(), OWN_KEY)).public_id == OWN_KEY
    for name in (FOREIGN_KEY, "key_nobody", "", "usr_ada"):
        with pytest.raises(NotFoundError):
            await scope.key(house.storage.reading(), name)


@pytest.mark.parametrize("name", ["ci", "sx_live_aaaa"])
async def test_label_or_prefix_names_no_key(house: Organisations, name: str) -> None:
    with pytest.raises(NotFoundError):
        await (await house.scope()).key(house.storage.reading(), name)


async def test_key_whose_label_is_the_id_of_a_foreign_key_does_not_open_that_one(house: Organisations) -> None:
    house.run("UPDATE keys SET label = ? WHERE id = 1", FOREIGN_KEY)
    with pytest.raises(NotFoundError):
        await (await house.scope()).key(house.storage.reading(), FOREIGN_KEY)


@pytest.mark.parametrize("role", ROLES)
async def test_key_is_changed_by_its_owner_and_by_those_who_manage_keys(
    house: Organisations, role: OrganisationRole
) -> None:
    scope, unit = await house.scope(role), house.storage.reading()
    if CHANGES[role]:
        assert (await scope.changeable_key(unit, OWN_KEY)).public_id == OWN_KEY
    else:
        with pytest.raises(NotFoundError):
            await scope.changeable_key(unit, OWN_KEY)


async def test_key_of_nobody_is_not_changed_by_a_member(house: Organisations) -> None:
    house.run("DELETE FROM key_owners")
    with pytest.raises(NotFoundError):
        await (await house.scope(OrganisationRole.MEMBER)).changeable_key(house.storage.reading(), OWN_KEY)


@pytest.mark.parametrize("right", Permission)
async def test_membership_of_another_organisation_gives_no_right(house: Organisations, right: Permission) -> None:
    scope = replace(await house.scope(), organisation=await house.user(BOB))
    with pytest.raises(NotFoundError):
        scope.require(right)


async def test_member_who_was_removed_or_lost_the_role_makes_no_key_any_more(house: Organisations) -> None:
    scope = await house.scope(OrganisationRole.MEMBER)
    await scope.still_may_make_keys(house.storage.reading())
    async with house.storage.writing() as unit:
        await unit.memberships.set_role(scope.account_id, scope.organisation.id, OrganisationRole.VIEWER)
        with pytest.raises(NotFoundError):
            await scope.still_may_make_keys(unit)
        await unit.memberships.remove(scope.account_id, scope.organisation.id)
        with pytest.raises(NotFoundError):
            await scope.still_may_make_keys(unit)
