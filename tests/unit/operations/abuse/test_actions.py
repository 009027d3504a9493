from __future__ import annotations

import pytest
from support.abuse_lab import LATER_US, act
from support.books import StoppedClock
from support.engines import Books
from support.members import join

from softix_proxy.domain.abuse.rule import AbuseAction
from softix_proxy.domain.access.keys import KeyStatus
from softix_proxy.domain.accounts.audit import changes_of
from softix_proxy.domain.accounts.sessions import Session, SignInMethod
from softix_proxy.domain.core.errors import ConflictError
from softix_proxy.operations.abuse import abuse


async def test_suspended_key_is_revoked_until_it_is_undone(books: Books, clock: StoppedClock) -> None:
    clock.us = LATER_US
    before = (await books.storage.changes(0)).revision
    alert = await act(books, AbuseAction.SUSPEND)
    unit = books.storage.reading()
    assert (await unit.keys.get(1)).status is KeyStatus.REVOKED
    assert (await books.storage.changes(0)).revision > before, "every process sees it at the next request"
    [suspended] = await unit.abuse.suspended(1)
    assert suspended.key == "key_ada" and "refused 250 requests" in suspended.text
    [action] = (await abuse.undo(books.storage, alert)).actions
    assert action.undone_us == LATER_US
    assert (await unit.keys.get(1)).status is KeyStatus.ACTIVE
    with pytest.raises(ConflictError):
        await abuse.undo(books.storage, alert)


async def test_people_of_the_key_must_sign_in_again_until_it_is_undone(books: Books, clock: StoppedClock) -> None:
    clock.us = LATER_US
    await join(books.storage, 1, "ada")
    async with books.storage.writing() as unit:
        session = await unit.sessions.add(
            Session(0, "ses_one", 1, b"d" * 32, SignInMethod.PASSWORD, False, False, "", 1, 1, 1, 2**60, 2**60)
        )
    alert = await act(books, AbuseAction.REAUTHENTICATE)
    sessions = books.storage.reading().sessions
    assert await sessions.by_digest(session.digest, LATER_US) is None
    await abuse.undo(books.storage, alert)
    assert await sessions.by_digest(session.digest, LATER_US) == session


async def test_action_of_the_daemon_is_in_the_audit(books: Books, clock: StoppedClock) -> None:
    clock.us = LATER_US
    await act(books, AbuseAction.SUSPEND)
    entries = await books.storage.reading().audit.page(None, 10)
    [entry] = [entry for entry in entries if entry.action == "abuse.watch"]
    changes = changes_of(entry)
    assert [change.id for change in changes if change.kind == "key"] == ["key_ada"]
    assert [(change.after or {})["action"] for change in changes if change.kind == "abuse_action"] == ["suspend"]
