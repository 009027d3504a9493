from __future__ import annotations

from support.members import join

from softix_proxy.domain.access.users import User
from softix_proxy.domain.accounts.accounts import AccountStatus
from softix_proxy.domain.organisations.organisations import OrganisationRole, Right
from softix_proxy.operations.notices.recipients import members_who_may
from softix_proxy.storage.sqlite.unit import SqliteStorage


async def test_recipients_are_verified_active_members_with_the_right(books: SqliteStorage, ada: User) -> None:
    owner = await join(books, ada.id, "ada")
    billing = await join(books, ada.id, "bea", OrganisationRole.BILLING)
    await join(books, ada.id, "max", OrganisationRole.MEMBER)
    await join(books, ada.id, "new", is_verified=False)
    await join(books, ada.id, "out", status=AccountStatus.DISABLED)
    unit = books.reading()
    assert list(await members_who_may(unit, ada.id, Right.SEE_BILLING)) == [owner, billing]
    assert list(await members_who_may(unit, ada.id, Right.MANAGE_OWNERS)) == [owner]
    assert len(await members_who_may(unit, ada.id, Right.SEE)) == 3
