"""The person of a session, and the organisation that the pages are about."""

from __future__ import annotations

from support.portal import Portal

from softix_proxy.domain.access.accounts import Account, AccountStatus
from softix_proxy.domain.access.organisations import Membership, OrganisationRole
from softix_proxy.domain.access.users import User, UserRole
from softix_proxy.domain.core.secret_tokens import token_digest
from softix_proxy.operations.access import users
from softix_proxy.web.portal.core import viewers
from softix_proxy.web.portal.core.page import Viewer


async def organisation(portal: Portal, name: str, *members: Account) -> User:
    made = await users.create(
        portal.storage, name=name, email=f"{name}@example.org", role=UserRole.USER, postpaid=False
    )
    async with portal.storage.writing() as unit:
        for member in members:
            await unit.memberships.add(Membership(member.id, made.id, OrganisationRole.OWNER, 1))
    return made


async def load(portal: Portal, account: Account, chosen: str = "") -> Viewer | None:
    digest = token_digest(await portal.sign_in(account, account.public_id))
    session = await portal.storage.reading().sessions.by_digest(digest, portal.clock.now_us())
    assert session is not None
    return await viewers.load(portal.storage, session, chosen)


async def test_viewer_without_a_choice_sees_the_first_organisation(portal: Portal) -> None:
    ada = await portal.account()
    first = await organisation(portal, "first", ada)
    await organisation(portal, "second", ada)
    viewer = await load(portal, ada)
    assert viewer is not None and viewer.organisation is not None
    assert viewer.organisation.public_id == first.public_id
    assert len(viewer.memberships) == 2


async def test_viewer_sees_the_organisation_that_was_chosen(portal: Portal) -> None:
    ada = await portal.account()
    await organisation(portal, "first", ada)
    second = await organisation(portal, "second", ada)
    viewer = await load(portal, ada, second.public_id)
    assert viewer is not None and viewer.organisation is not None
    assert viewer.organisation.public_id == second.public_id


async def test_choice_of_a_strangers_organisation_counts_as_none(portal: Portal) -> None:
    ada, bob = await portal.account(), await portal.account("bob@example.org")
    own = await organisation(portal, "own", ada)
    strange = await organisation(portal, "strange", bob)
    for chosen in (strange.public_id, "strange", "usr_nobody", "strange@example.org"):
        viewer = await load(portal, ada, chosen)
        assert viewer is not None and viewer.organisation is not None
        assert viewer.organisation.public_id == own.public_id


async def test_viewer_in_no_organisation_has_none(portal: Portal) -> None:
    viewer = await load(portal, await portal.account())
    assert viewer is not None
    assert (viewer.membership, viewer.organisation, viewer.memberships) == (None, None, ())


async def test_account_that_may_not_sign_in_any_more_is_no_viewer(portal: Portal) -> None:
    assert await load(portal, await portal.account(status=AccountStatus.DISABLED)) is None
    assert await load(portal, await portal.account("bob@example.org", verified_at_us=None)) is None
