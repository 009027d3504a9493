"""Who of an organisation sees and changes the caps of which key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.two_organisations import FOREIGN_KEY, OWN_KEY, Organisations, organisations

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.core.errors import ConflictError, NotFoundError
from softix_proxy.operations.access import keys
from softix_proxy.operations.access.caps import AskedLimits
from softix_proxy.operations.organisations import key_limits


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Organisations]:
    async with organisations(tmp_path) as made:
        yield made


FIVE = AskedLimits("", {"day": 5})


async def test_member_who_may_change_a_key_changes_its_caps(house: Organisations) -> None:
    scope = await house.scope(OrganisationRole.OWNER)
    await key_limits.change(scope, OWN_KEY, FIVE)
    [standing] = await key_limits.of_key(scope, OWN_KEY)
    assert standing.cap.amount_pico == 5 and await key_limits.of_organisation(scope) == []


@pytest.mark.parametrize("role", [OrganisationRole.BILLING, OrganisationRole.VIEWER])
async def test_member_who_may_not_change_the_key_is_told_of_none(house: Organisations, role: OrganisationRole) -> None:
    with pytest.raises(NotFoundError):
        await key_limits.change(await house.scope(role), OWN_KEY, FIVE)
    assert await key_limits.of_key(await house.scope(role), OWN_KEY) == []


async def test_foreign_and_revoked_keys_are_not_changed(house: Organisations) -> None:
    scope = await house.scope(OrganisationRole.OWNER)
    with pytest.raises(NotFoundError):
        await key_limits.change(scope, FOREIGN_KEY, FIVE)
    await keys.revoke(house.storage, OWN_KEY)
    with pytest.raises(ConflictError, match="revoked"):
        await key_limits.change(scope, OWN_KEY, FIVE)
