from dataclasses import replace

from support.organisation import person

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.organisations.invitations import Invitation
from softix_proxy.domain.ports.storage import Storage

GRACE = Invitation(0, "inv_grace", 1, "grace@example.org", OrganisationRole.ADMIN, None, 10, 20)


async def add(storage: Storage, invitation: Invitation) -> Invitation:
    async with storage.writing() as unit:
        return await unit.invitations.add(invitation)


async def test_invitation_is_found_within_its_organisation_only(storage: Storage) -> None:
    added = await add(storage, GRACE)
    unit = storage.reading()
    assert added == replace(GRACE, id=added.id) and await unit.invitations.get(added.id) == added
    assert await unit.invitations.find(1, "inv_grace") == added
    assert await unit.invitations.find(2, "inv_grace") is None and await unit.invitations.get(9) is None


async def test_open_invitations_leave_out_those_that_are_over(storage: Storage) -> None:
    inviter = await person(storage, "alan")
    first = await add(storage, replace(GRACE, invited_by=inviter.id))
    accepted = await add(storage, replace(GRACE, public_id="inv_a"))
    revoked = await add(storage, replace(GRACE, public_id="inv_r"))
    await add(storage, replace(GRACE, public_id="inv_b", user_id=2))
    async with storage.writing() as unit:
        await unit.invitations.update(replace(accepted, accepted_at_us=15))
        await unit.invitations.update(replace(revoked, revoked_at_us=15))
    unit = storage.reading()
    assert await unit.invitations.open(1, 19) == [first] and first.is_open(19)
    assert await unit.invitations.open(1, 20) == [] and not first.is_open(20)
    assert not replace(accepted, accepted_at_us=15).is_open(19)
