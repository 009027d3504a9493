from __future__ import annotations

from support.books import NOW_US
from support.people import BOB, People

from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.privacy.technical_data import GuessingNetwork, SeenGroup
from softix_proxy.operations.privacy.technical_expiry import in_short_transactions, purge_old

DAY = NOW_US // DAY_US


async def test_purge_by_age_removes_data_and_events_and_notes_nothing(people: People) -> None:
    await people.member()
    async with people.storage.writing() as unit:
        await unit.technical_data.note(SeenGroup(guesses=[GuessingNetwork(DAY, "192.0.2.1", NOW_US, NOW_US, 1, 0)]))
    people.clock.us += 90 * DAY_US
    assert await purge_old(people.storage, 90) == 0
    people.clock.us += DAY_US
    await people.member(BOB)
    assert await purge_old(people.storage, 90) == 3
    assert len(await people.events()) == 2
    assert await people.storage.reading().technical_data.guesses(0, 9) == []
    assert await purge_old(people.storage, 90) == 0


async def test_flood_is_removed_in_many_short_transactions(people: People) -> None:
    rows = [GuessingNetwork(DAY - at % 2, f"10.0.{at // 250}.{at % 250}", 1, 1, 1, 0) for at in range(1_100)]
    async with people.storage.writing() as unit:
        await unit.technical_data.note(SeenGroup(guesses=rows))
    with people.counted() as work:
        removed = await in_short_transactions(people.storage, lambda unit, most: unit.technical_data.purge_all(most))
    assert removed == 1_100 and len(work) == 3
