from __future__ import annotations

from support.abuse_lab import LATER_US, quiet_fortnight, spend, watch_of
from support.books import StoppedClock
from support.engines import Books

from softix_proxy.domain.abuse.abuse_tally import AbuseTally
from softix_proxy.operations.abuse import abuse


async def test_spending_far_above_history_is_one_alert_until_it_is_quiet(books: Books, clock: StoppedClock) -> None:
    clock.us = LATER_US
    await quiet_fortnight(books)
    watch = watch_of(books)
    assert await watch.look() == 0
    await spend(books, 1, 8)
    assert await watch.look() == 1
    [alert] = await abuse.list_all(books.storage, limit=10)
    assert (alert.rule, alert.subject, alert.acked_us) == ("spend", "key_ada", None)
    assert "8.00" in alert.text
    assert "0.10" in alert.text
    await spend(books, 100, 1)
    assert await watch.look() == 0
    assert await watch_of(books).look() == 0, "another process knows it too"
    assert (await abuse.acknowledge(books.storage, alert.public_id)).acked_us == LATER_US
    assert await abuse.list_all(books.storage, limit=10, only_open=True) == []


async def test_rule_that_is_switched_off_for_a_key_notices_nothing_of_it(books: Books, clock: StoppedClock) -> None:
    clock.us = LATER_US
    await abuse.tune(books.storage, "refusals", key="key_ada", enabled=False)
    tally = AbuseTally()
    for _ in range(250):
        tally.refused(1)
        tally.refused(2)
    await watch_of(books, tally).look()
    assert [alert.subject for alert in await abuse.list_all(books.storage, limit=10)] == ["key_bob"]
