from __future__ import annotations

import pytest
from support.abuse_lab import LATER_US, act, watch_of
from support.books import StoppedClock
from support.engines import Books

from softix_proxy.domain.abuse.abuse_tally import AbuseTally
from softix_proxy.domain.abuse.rule import AbuseAction
from softix_proxy.domain.access.keys import KeyStatus
from softix_proxy.domain.core.errors import ConflictError
from softix_proxy.operations.abuse import abuse
from softix_proxy.operations.abuse.actions import THROTTLED_RPM, THROTTLED_US
from softix_proxy.operations.access import keys


async def test_refusals_and_guesses_are_counted_and_noticed(books: Books, clock: StoppedClock) -> None:
    clock.us = LATER_US
    tally = AbuseTally()
    for _ in range(250):
        tally.refused(1)
    for _ in range(100):
        tally.guessed("192.0.2.7")
    assert await watch_of(books, tally).look() == 2
    assert tally.alerts == {"refusals": 1, "guessing": 1}
    found = {alert.rule: alert.subject for alert in await abuse.list_all(books.storage, limit=10)}
    assert found == {"refusals": "key_ada", "guessing": "192.0.2.7"}
    assert await books.storage.reading().abuse.open_counts() == {"guessing": 1, "refusals": 1}


async def test_throttled_key_has_a_low_rate_for_a_day(books: Books, clock: StoppedClock) -> None:
    clock.us = LATER_US
    await books.run("UPDATE keys SET rpm = 500 WHERE id = 1")
    await act(books, AbuseAction.THROTTLE)
    unit = books.storage.reading()
    assert (await unit.keys.get(1)).limits.rpm == THROTTLED_RPM
    with pytest.raises(ConflictError, match="suspected abuse"):
        await keys.update(books.storage, "key_ada", limits={"rpm": 500})
    clock.us += THROTTLED_US - 1
    await watch_of(books).look()
    assert (await unit.keys.get(1)).limits.rpm == THROTTLED_RPM
    clock.us += 1
    await watch_of(books).look()
    assert (await unit.keys.get(1)).limits.rpm == 500


async def test_key_that_was_revoked_for_good_stays_so(books: Books, clock: StoppedClock) -> None:
    clock.us = LATER_US
    alert = await act(books, AbuseAction.SUSPEND)
    await keys.revoke(books.storage, "key_ada")
    with pytest.raises(ConflictError):
        await abuse.undo(books.storage, alert)
    assert (await books.storage.reading().keys.get(1)).status is KeyStatus.REVOKED
