"""Which links of invitations can still be used."""

from support.books import StoppedClock
from support.organisation import join
from support.people import ADA, People

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.operations.access import users
from softix_proxy.operations.accounts import accounts, invitation_links
from softix_proxy.operations.organisations import invitations


async def token_of_an_invitation(people: People) -> str:
    """The token that an owner of acme had mailed to ada."""
    await users.create(people.storage, name="acme", email="acme@example.org", role=UserRole.USER, postpaid=False)
    owner = await join(people.storage, "owner", OrganisationRole.OWNER, "acme")
    await invitations.invite(people.storage, people.vault, "acme", ADA, OrganisationRole.MEMBER, owner)
    link = (await people.mails(NoticeKind.INVITATION))[0].link
    assert link is not None
    return link.removeprefix("/invitations/")


async def test_link_that_is_looked_at_stays_and_one_that_is_consumed_ends(people: People) -> None:
    token = await token_of_an_invitation(people)
    async with people.storage.writing() as unit:
        looked = [await invitation_links.look(unit, token) for _ in range(2)]
        consumed = await invitation_links.consume(unit, token)
        assert looked == [consumed] * 2 and consumed is not None and consumed.email == ADA
        assert await invitation_links.look(unit, token) is None
        assert await invitation_links.consume(unit, token) is None


async def test_link_whose_inviter_is_disabled_is_worth_nothing_until_the_account_is_enabled(people: People) -> None:
    token = await token_of_an_invitation(people)
    await accounts.disable(people.storage, "acc_owner")
    assert await invitation_links.look(people.storage.reading(), token) is None
    await accounts.enable(people.storage, "acc_owner")
    assert await invitation_links.look(people.storage.reading(), token) is not None


async def test_link_that_is_too_old_or_unknown_is_worth_nothing(people: People, stopped_clock: StoppedClock) -> None:
    token = await token_of_an_invitation(people)
    stopped_clock.us += 7 * DAY_US
    for text in (token, "", "x" * 43):
        assert await invitation_links.look(people.storage.reading(), text) is None
