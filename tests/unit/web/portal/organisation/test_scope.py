from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.two_organisations import Organisations, organisations

from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.core.errors import NotFoundError
from softix_proxy.web.portal.organisation.scope import require, scope_of


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Organisations]:
    async with organisations(tmp_path) as made:
        yield made


async def test_view_is_that_of_the_chosen_organisation(house: Organisations) -> None:
    scope = scope_of(await house.request("GET", "/"))
    assert (scope.organisation.public_id, scope.membership.role) == ("usr_ada", OrganisationRole.OWNER)


async def test_person_without_an_organisation_has_no_view(house: Organisations) -> None:
    viewer = replace(await house.viewer(OrganisationRole.OWNER), membership=None, organisation=None)
    with pytest.raises(NotFoundError):
        scope_of(await house.request("GET", "/", viewer=viewer))


async def test_page_for_a_right_exists_for_those_who_have_it(house: Organisations) -> None:
    member = await house.viewer(OrganisationRole.MEMBER)
    request = await house.request("GET", "/", viewer=member)
    assert require(request, Permission.ORGANISATIONS_READ).membership == member.membership
    with pytest.raises(NotFoundError):
        require(request, Permission.ORGANISATIONS_WRITE)


async def test_person_in_no_organisation_has_no_page_of_one(acme: Any) -> None:
    await acme.portal.sign_in(await acme.portal.account("lonely@example.org"), "lonely")
    for path in ("/members", "/members/leave", "/projects", "/projects/prj_bot"):
        assert (await acme.ask("GET", path, "lonely")).status == 404
    assert (await acme.ask("POST", "/members/leave", "lonely")).status == 404
