from dataclasses import replace

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.organisations.invitations import Invitation

GRACE = Invitation(1, "inv_grace", 1, "grace@example.org", OrganisationRole.ADMIN, None, 10, 20)


def test_invitation_is_open_until_it_ends_is_accepted_or_is_withdrawn() -> None:
    assert GRACE.is_open(19) and not GRACE.is_open(20)
    assert not replace(GRACE, accepted_at_us=15).is_open(16)
    assert not replace(GRACE, revoked_at_us=15).is_open(16)


def test_invitation_has_its_address_in_no_text_of_a_program() -> None:
    assert "grace@" not in repr(GRACE)
