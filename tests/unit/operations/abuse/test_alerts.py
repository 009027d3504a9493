from __future__ import annotations

from support.abuse_lab import LATER_US, act, watch_of
from support.books import StoppedClock
from support.engines import Books
from support.members import join

from softix_proxy.domain.abuse.rule import AbuseAction
from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.accounts.accounts import Account, AccountStatus
from softix_proxy.domain.notices.outbox import NoticeKind


async def test_operators_owners_and_endpoints_are_told_once(books: Books, clock: StoppedClock) -> None:
    clock.us = LATER_US
    await join(books.storage, 1, "ada")
    async with books.storage.writing() as unit:
        await unit.accounts.add(
            Account(0, "acc_op", "op@example.org", "op", UserRole.ADMIN, AccountStatus.ACTIVE, 1, verified_at_us=1)
        )
    await act(books, AbuseAction.SUSPEND)
    await watch_of(books).look()
    queued = await books.storage.reading().outbox.list(None, 10)
    told = sorted((each.notice.kind, each.notice.email) for each in queued)
    assert told == [(NoticeKind.ABUSE, "ada@example.org"), (NoticeKind.OPERATOR_ALERT, "op@example.org")]
    assert all("refused 250 requests" in each.notice.values["text"] for each in queued)
