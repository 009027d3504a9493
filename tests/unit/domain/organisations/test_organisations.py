import pytest

from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.access.roles import ORGANISATION_ROLES, OrganisationRole
from softix_proxy.domain.organisations.organisations import Membership


@pytest.mark.parametrize("role", OrganisationRole)
def test_member_of_a_role_may_do_exactly_what_the_table_says(role: OrganisationRole) -> None:
    member = Membership(account_id=1, user_id=2, role=role, created_at_us=3)
    assert {permission for permission in Permission if member.may(permission)} == ORGANISATION_ROLES[role]


def test_every_role_is_in_the_table_and_may_see_the_organisation() -> None:
    assert set(ORGANISATION_ROLES) == set(OrganisationRole)
    assert all(Permission.ORGANISATIONS_READ in own for own in ORGANISATION_ROLES.values())
