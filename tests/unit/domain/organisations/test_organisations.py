import pytest

from softix_proxy.domain.organisations.organisations import RIGHTS, Membership, OrganisationRole, Right


@pytest.mark.parametrize(
    ("role", "rights"),
    [
        (OrganisationRole.OWNER, set(Right)),
        (OrganisationRole.ADMIN, set(Right) - {Right.MANAGE_OWNERS}),
        (OrganisationRole.BILLING, {Right.SEE, Right.SEE_BILLING, Right.PAY}),
        (OrganisationRole.MEMBER, {Right.SEE, Right.MAKE_OWN_KEYS}),
        (OrganisationRole.VIEWER, {Right.SEE}),
    ],
)
def test_member_of_a_role_has_exactly_its_rights(role: OrganisationRole, rights: set[Right]) -> None:
    member = Membership(account_id=1, user_id=2, role=role, created_at_us=3)
    assert {right for right in Right if member.may(right)} == rights


def test_every_role_has_rights() -> None:
    assert set(RIGHTS) == set(OrganisationRole)
