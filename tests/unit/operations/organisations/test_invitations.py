"""Invitations: whom they let in, as what, and when they end."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from support.books import NOW_US, StoppedClock
from support.organisation import join, person

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.access.users import User, UserRole
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.errors import BadInputError, Code, ConflictError, NotFoundError, RefusedError
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.domain.organisations.organisations import OPERATOR, Membership
from softix_proxy.operations.access import users
from softix_proxy.operations.accounts import accounts
from softix_proxy.operations.organisations import invitations, organisations
from softix_proxy.storage.sqlite.unit import SqliteStorage

OWNER, ADMIN, BILLING, MEMBER, VIEWER = OrganisationRole


class Sealing:
    """Seals nothing, so that a test can read the link that is mailed."""

    def seal_secret(self, secret: bytes | str, *place: str) -> bytes:
        return secret.encode() if isinstance(secret, str) else secret

    def keyed_digest(self, *parts: str) -> str:
        return " ".join(parts)


VAULT: Any = Sealing()


@pytest.fixture
async def owner(books: SqliteStorage, ada: User) -> Membership:
    return await join(books, "owner", OWNER, ada.public_id)


async def mailed(books: SqliteStorage) -> list[tuple[str, str]]:
    """(Address, token) of each invitation in the outbox, the oldest first."""
    found = []
    for queued in reversed(await books.reading().outbox.list(None, 99)):
        assert queued.notice.kind is NoticeKind.INVITATION and queued.sealed_links is not None
        [path] = json.loads(queued.sealed_links).values()
        found.append((queued.notice.email, path.removeprefix("/invitations/")))
    return found


async def invite(books: SqliteStorage, email: str, by: Any = OPERATOR, role: OrganisationRole = MEMBER) -> str:
    """The token that was mailed."""
    await invitations.invite(books, VAULT, "ada", email, role, by)
    return (await mailed(books))[-1][1]


async def test_invited_person_sees_what_the_link_is_for_and_joins(books: SqliteStorage, owner: Membership) -> None:
    token = await invite(books, "grace@example.org", owner, BILLING)
    for _ in range(2):  # a program that scans mail opens links, and spends none (emdash#3298)
        opened = await invitations.find(books, token)
        assert (opened.organisation_name, opened.invited_by, opened.has_account) == ("ada", "Owner", False)
    grace = await person(books, "grace")
    assert (await invitations.find(books, token)).has_account
    joined = await invitations.accept(books, token, grace.id)
    assert (joined.role, joined.account_id) == (BILLING, grace.id)
    assert joined in await books.reading().memberships.of_account(grace.id)
    assert [event.kind for event in await books.reading().security_events.list(grace.id, 9)] == ["member_added"]
    assert await invitations.open_of(books, "ada", owner) == []
    with pytest.raises(NotFoundError):
        await invitations.accept(books, token, grace.id)


async def test_invitation_is_good_for_its_address_alone(books: SqliteStorage, owner: Membership) -> None:
    token = await invite(books, "Grace@example.org", owner)
    eve, grace = await person(books, "eve"), await person(books, "grace")
    with pytest.raises(ConflictError, match="another address"):
        await invitations.accept(books, token, eve.id)
    assert await books.reading().memberships.of_account(eve.id) == []
    await invitations.accept(books, token, grace.id)


async def test_account_that_is_not_verified_accepts_nothing(books: SqliteStorage, owner: Membership) -> None:
    token = await invite(books, "grace@example.org", owner)
    grace = await person(books, "grace", verified=False)
    with pytest.raises(ConflictError):
        await invitations.accept(books, token, grace.id)


async def test_invitation_goes_to_the_address_that_an_account_has_stored(
    books: SqliteStorage, owner: Membership
) -> None:
    """Mail goes to the verified text, and not to what was typed."""
    await person(books, "grace")
    await invite(books, "GRACE@example.org", owner)
    assert (await mailed(books))[0][0] == "grace@example.org"


async def test_token_is_in_the_mail_and_nowhere_else(books: SqliteStorage, owner: Membership) -> None:
    made = await invitations.invite(books, VAULT, "ada", "grace@example.org", MEMBER, owner)
    [(_, token)] = await mailed(books)
    assert token not in repr(made) + str(invitations.as_fields(made))
    assert list(invitations.as_fields(made)) == ["id", "email", "role", "created_at", "expires_at"]


@pytest.mark.parametrize(("wait_us", "is_open"), [(7 * DAY_US - 1, True), (7 * DAY_US, False)])
async def test_invitation_ends_after_seven_days(
    books: SqliteStorage, owner: Membership, stopped_clock: StoppedClock, wait_us: int, is_open: bool
) -> None:
    token, grace = await invite(books, "grace@example.org", owner), await person(books, "grace")
    stopped_clock.us = NOW_US + wait_us
    if is_open:
        await invitations.accept(books, token, grace.id)
        return
    with pytest.raises(NotFoundError):
        await invitations.find(books, token)
    with pytest.raises(NotFoundError):
        await invitations.accept(books, token, grace.id)


async def test_newer_invitation_of_an_address_ends_the_older_one(books: SqliteStorage, owner: Membership) -> None:
    older = await invite(books, "grace@example.org", owner, ADMIN)
    newer = await invite(books, "GRACE@example.org", owner, VIEWER)
    with pytest.raises(NotFoundError):
        await invitations.find(books, older)
    assert (await invitations.find(books, newer)).invitation.role is VIEWER
    assert len(await invitations.open_of(books, "ada", owner)) == 1


async def test_withdrawn_invitation_leads_nowhere_and_lets_nobody_register(
    books: SqliteStorage, owner: Membership
) -> None:
    token = await invite(books, "grace@example.org", owner)
    [opened] = await invitations.open_of(books, "ada", owner)
    await invitations.revoke(books, "ada", opened.public_id, owner)
    with pytest.raises(NotFoundError):
        await invitations.find(books, token)
    assert await books.reading().account_tokens.find(b"", "invitation", 0) is None  # type: ignore[arg-type]
    with pytest.raises(NotFoundError):
        await invitations.revoke(books, "ada", opened.public_id, owner)


@pytest.mark.parametrize("change", ["removed", "lowered", "disabled"])
async def test_invitation_of_somebody_who_lost_the_right_to_invite_ends(
    books: SqliteStorage, owner: Membership, change: str
) -> None:
    """Else an admin who is about to be removed would keep a way back."""
    admin = await join(books, "admin", ADMIN, "ada")
    token, second = await invite(books, "second@example.org", admin, ADMIN), await person(books, "second")
    if change == "removed":
        await organisations.remove(books, "ada", "acc_admin", owner)
    elif change == "disabled":
        await accounts.disable(books, "acc_admin")
    else:
        await organisations.set_role(books, "ada", "acc_admin", MEMBER, owner)
    with pytest.raises(NotFoundError):
        await invitations.accept(books, token, second.id)
    assert await books.reading().memberships.of_account(second.id) == []


@pytest.mark.parametrize(("by", "role"), [(ADMIN, OWNER), (BILLING, VIEWER), (MEMBER, MEMBER), (VIEWER, VIEWER)])
async def test_nobody_invites_beyond_the_own_rights(
    books: SqliteStorage, owner: Membership, by: OrganisationRole, role: OrganisationRole
) -> None:
    inviter = await join(books, "inviter", by, "ada")
    with pytest.raises((NotFoundError, ConflictError)):
        await invite(books, "grace@example.org", inviter, role)
    assert await invitations.open_of(books, "ada", owner) == []


async def test_members_invite_one_address_few_times_and_operators_as_often_as_they_want(
    books: SqliteStorage, owner: Membership
) -> None:
    """Else an organisation would send mail to anybody, as often as its owner likes."""
    for _ in range(3):
        last = await invite(books, "grace@example.org", owner)
    with pytest.raises(RefusedError) as refused:
        await invite(books, "GRACE@example.org", owner)
    assert refused.value.code is Code.RATE_LIMITED
    assert len(await mailed(books)) == 3
    assert (await invitations.find(books, last)).invitation.email == "grace@example.org", "a refusal ends no link"
    await invite(books, "grace@example.org")


async def test_invitations_are_counted_by_who_invites_and_by_the_organisation(
    books: SqliteStorage, owner: Membership
) -> None:
    admin = await join(books, "admin", ADMIN, "ada")
    for inviter, most in ((owner, 30), (admin, 20)):
        for number in range(most):
            await invite(books, f"{inviter.account_id}-{number}@example.org", inviter)
            if number < most - 1:
                [*_, made] = await invitations.open_of(books, "ada", inviter)
                await invitations.revoke(books, "ada", made.public_id, inviter)
        with pytest.raises(RefusedError):
            await invite(books, "one-more@example.org", inviter)


async def test_organisation_has_a_bound_of_open_invitations_and_operators_pass_it(
    books: SqliteStorage, owner: Membership
) -> None:
    for number in range(50):
        await invite(books, f"p{number}@example.org")
    with pytest.raises(ConflictError, match="at most 50 open"):
        await invite(books, "one-more@example.org", owner)
    await invite(books, "p7@example.org", owner)
    await invite(books, "one-more@example.org")
    assert len(await invitations.open_of(books, "ada", owner)) == 51


async def test_member_and_unusable_address_are_not_invited(books: SqliteStorage, owner: Membership) -> None:
    with pytest.raises(ConflictError, match="already"):
        await invite(books, "OWNER@example.org", owner)
    for email in ("grace@example.org,evil", "<script>@example.org", "grace@example.org\nBcc: x@example.org", ""):
        with pytest.raises(BadInputError):
            await invite(books, email, owner)
    assert await mailed(books) == []


async def test_stranger_sees_and_withdraws_no_invitation(books: SqliteStorage, owner: Membership) -> None:
    await users.create(books, name="bob", email="bob@example.org", role=UserRole.USER, postpaid=False)
    stranger = await join(books, "eve", OWNER, "bob")
    await invite(books, "grace@example.org", owner)
    [opened] = await invitations.open_of(books, "ada", owner)
    for change in (
        invitations.open_of(books, "ada", stranger),
        invitations.revoke(books, "bob", opened.public_id, stranger),
        invitations.revoke(books, "ada", opened.public_id, stranger),
        invitations.invite(books, VAULT, "ada", "x@example.org", VIEWER, stranger),
    ):
        with pytest.raises(NotFoundError):
            await change
    assert await invitations.open_of(books, "ada", owner) == [opened]
    assert replace(opened, role=MEMBER) == opened
