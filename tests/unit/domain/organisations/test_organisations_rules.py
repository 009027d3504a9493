"""Who may give which role to whom. Cases of roles that raise themselves: LiteLLM#8740, scrob#232."""

import pytest

from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.access.roles import ORGANISATION_ROLES, OrganisationRole
from softix_proxy.domain.organisations.organisations import (
    OPERATOR,
    Membership,
    leaves_no_owner,
    may,
    may_grant,
    raises_itself,
)

OWNER, ADMIN, BILLING, MEMBER, VIEWER = OrganisationRole


def member(role: OrganisationRole, account_id: int = 1) -> Membership:
    return Membership(account_id, 1, role, 1)


def test_operator_may_everything_and_a_member_what_the_role_says() -> None:
    for right in Permission:
        assert may(OPERATOR, right)
        for role in OrganisationRole:
            assert may(member(role), right) is (right in ORGANISATION_ROLES[role])


@pytest.mark.parametrize(
    ("role", "granted"),
    [
        (OWNER, {OWNER, ADMIN, BILLING, MEMBER, VIEWER}),
        (ADMIN, {ADMIN, BILLING, MEMBER, VIEWER}),
        (BILLING, {BILLING, VIEWER}),
        (MEMBER, {MEMBER, VIEWER}),
        (VIEWER, {VIEWER}),
    ],
)
def test_nobody_grants_a_right_that_they_do_not_have(role: OrganisationRole, granted: set[OrganisationRole]) -> None:
    assert {each for each in OrganisationRole if may_grant(member(role), each)} == granted
    assert all(may_grant(OPERATOR, each) for each in OrganisationRole)


def test_member_who_takes_a_higher_role_raises_itself() -> None:
    assert raises_itself(member(ADMIN), 1, OWNER) and raises_itself(member(BILLING), 1, MEMBER)
    assert not raises_itself(member(ADMIN), 1, MEMBER), "a lower one is free to take"
    assert not raises_itself(member(ADMIN), 2, OWNER), "another person's role is another rule"
    assert not raises_itself(OPERATOR, 1, OWNER)


@pytest.mark.parametrize(("role", "is_left"), [(None, True), (ADMIN, True), (OWNER, False)])
def test_last_owner_who_goes_leaves_no_owner(role: OrganisationRole | None, is_left: bool) -> None:
    assert leaves_no_owner([member(OWNER, 1), member(ADMIN, 2)], 1, role) is is_left
    assert not leaves_no_owner([member(OWNER, 1), member(OWNER, 2)], 1, role)
    assert not leaves_no_owner([member(OWNER, 1), member(ADMIN, 2)], 2, role)
