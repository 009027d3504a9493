from __future__ import annotations

from support.members import join

from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.access.users import User
from softix_proxy.domain.accounts.accounts import AccountStatus
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.operations.notices import recipients
from softix_proxy.operations.notices.recipients import members_who_may
from softix_proxy.storage.sqlite.unit import SqliteStorage


async def test_recipients_are_verified_active_members_with_the_right(books: SqliteStorage, ada: User) -> None:
    owner = await join(books, ada.id, "ada")
    billing = await join(books, ada.id, "bea", OrganisationRole.BILLING)
    await join(books, ada.id, "max", OrganisationRole.MEMBER)
    await join(books, ada.id, "new", is_verified=False)
    await join(books, ada.id, "out", status=AccountStatus.DISABLED)
    unit = books.reading()
    assert list(await members_who_may(unit, ada.id, Permission.PAYMENTS_READ)) == [owner, billing]
    assert list(await members_who_may(unit, ada.id, Permission.ORGANISATIONS_OWN)) == [owner]
    assert len(await members_who_may(unit, ada.id, Permission.ORGANISATIONS_READ)) == 3


async def test_those_who_have_the_right_are_told_of_a_cause_once(books: SqliteStorage, ada: User) -> None:
    await join(books, ada.id, "ada")
    await join(books, ada.id, "max", OrganisationRole.MEMBER)
    added = []
    for once in (lambda who: f"one:{who.id}", lambda who: f"one:{who.id}", lambda who: f"other:{who.id}", None, None):
        async with books.writing() as unit:
            told = recipients.tell(
                unit, ada.id, Permission.PAYMENTS_WRITE, NoticeKind.DISPUTED, {"amount": "$1.00"}, once
            )
            added.append(await told)
    queued = await books.reading().outbox.list(None, 9)
    assert added == [1, 0, 1, 1, 1]
    assert [(each.notice.email, each.notice.values) for each in queued] == [
        ("ada@example.org", {"amount": "$1.00"})
    ] * 4
