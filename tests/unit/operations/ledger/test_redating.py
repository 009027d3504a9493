from support.books import StoppedClock

from softix_proxy.domain.access.users import User
from softix_proxy.domain.core.clock import DAY_US, SECOND_US
from softix_proxy.operations.ledger import balance, redating
from softix_proxy.storage.sqlite.unit import SqliteStorage


async def test_redating_of_a_row_one_hour_ahead_leaves_it(
    books: SqliteStorage, ada: User, stopped_clock: StoppedClock
) -> None:
    stopped_clock.us += 3600 * SECOND_US
    await balance.add(books, "ada@example.org", 5)
    stopped_clock.us -= 3600 * SECOND_US
    assert [one async for one in redating.run(books, None, None, note="n", dry=False)] == []


async def test_redating_of_many_rows_keeps_balance_and_ledger_right(
    books: SqliteStorage, ada: User, stopped_clock: StoppedClock
) -> None:
    await balance.add(books, "ada@example.org", 1)
    stopped_clock.us += 400 * DAY_US
    for number in range(25):
        await balance.add(books, "ada@example.org", 1 + number)
    await balance.set_to(books, "ada@example.org", 3)
    stopped_clock.us -= 400 * DAY_US
    found = [one async for one in redating.run(books, None, 400 * DAY_US, note="n", dry=False)]
    assert [one.misdated.amount_pico for one in found] == [*range(1, 26), 3 - sum(range(26)) - 1]
    assert {one.booked_us == stopped_clock.us for one in found} == {True}, "it was posted at this very instant"
    assert (await balance.show(books, "ada")).posted_pico == 3
    verdict = await books.reading().ledger.verify()
    assert verdict.violations == () and verdict.transfers == 1 + 3 * 26
