from __future__ import annotations

from support.books import NOW_US, POSTED_PICO, USD
from support.engines import Books
from support.members import join

from softix_proxy.domain.notices.notice_conditions import LowBalance
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.domain.ports.storage import Storage

SPENT = (
    "INSERT INTO key_states (key_id, spent_at_us, spent_day_pico, spent_week_pico, spent_month_pico, spent_total_pico)"
    f" VALUES (1, {NOW_US}, {USD}, {USD}, {USD}, {USD})"
)


async def test_condition_begins_once_until_it_ends(storage: Storage) -> None:
    async with storage.writing() as unit:
        conditions = unit.notice_conditions
        assert await conditions.begin("low:1", NoticeKind.LOW_BALANCE, 1)
        assert not await conditions.begin("low:1", NoticeKind.LOW_BALANCE, 2)
        assert await conditions.begin("cap:1", NoticeKind.CAP_REACHED, 1)
        assert await conditions.standing(NoticeKind.LOW_BALANCE) == {"low:1"}
        await conditions.end(["low:1", "unknown"])
        assert await conditions.standing(NoticeKind.LOW_BALANCE) == frozenset()
        assert await conditions.begin("low:1", NoticeKind.LOW_BALANCE, 3)
        await conditions.end([])
        assert await conditions.standing(NoticeKind.CAP_REACHED) == {"cap:1"}


async def test_low_balance_is_that_of_an_organisation_with_members_that_has_spent(books: Books) -> None:
    conditions = books.storage.reading().notice_conditions
    assert await conditions.low_balances(POSTED_PICO) == [], "nobody is a member"
    await join(books.storage, 1, "ada")
    await join(books.storage, 2, "bob")
    assert await conditions.low_balances(POSTED_PICO) == [], "nothing was spent: a new organisation is not warned"
    await books.run(SPENT)
    assert await conditions.low_balances(POSTED_PICO) == [LowBalance(1, POSTED_PICO)]
    assert await conditions.low_balances(POSTED_PICO - 1) == []
    await books.run("UPDATE users SET postpaid = 1 WHERE id = 1")
    assert await conditions.low_balances(POSTED_PICO) == [], "who pays afterwards is not warned"


async def test_spent_keys_are_active_ones_with_nearly_all_of_their_cap_spent(books: Books) -> None:
    conditions = books.storage.reading().notice_conditions
    await join(books.storage, 1, "ada")
    await books.run(SPENT)
    assert await conditions.spent_keys() == [], "there is no cap"
    for cap_pico, found in ((USD, [1]), (USD * 100 // 95, [1]), (USD * 100 // 94, []), (0, [])):
        for period in ("day", "week", "month", "total"):
            await books.run(f"UPDATE keys SET cap_pico = {cap_pico}, cap_period = '{period}' WHERE id = 1")
            assert await conditions.spent_keys() == found, (cap_pico, period)
    await books.run(f"UPDATE keys SET cap_pico = {USD}, status = 'revoked' WHERE id = 1")
    assert await conditions.spent_keys() == []
