from __future__ import annotations

from support.abuse_lab import LATER_US, quiet_fortnight, spend, watch_of
from support.books import StoppedClock
from support.engines import Books

from softix_proxy.domain.abuse.abuse_tally import AbuseTally
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.privacy.technical_data import KeyAddress, SeenGroup
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


async def test_key_that_is_used_from_elsewhere_is_noticed_by_network_and_by_country(
    books: Books, clock: StoppedClock
) -> None:
    clock.us = LATER_US
    await quiet_fortnight(books)
    await spend(books, 1, 1)
    today, home, away = LATER_US // DAY_US, "192.0.2.7", "198.51.100.7"
    seen = [(day, home, day * DAY_US) for day in range(today - 20, today + 1)] + [(today, away, LATER_US - 60)]
    addresses = [
        KeyAddress(key_id=1, day=day, address=address, first_us=at_us, last_us=at_us, requests=100)
        for day, address, at_us in seen
    ]
    async with books.storage.writing() as unit:
        await unit.technical_data.note(SeenGroup(addresses))
    countries = {home: "DE", away: "JP"}
    assert await watch_of(books, country_of=lambda address: countries[address]).look() == 2
    found = {alert.rule: alert.text for alert in await abuse.list_all(books.storage, limit=10)}
    assert found.keys() == {"new-network", "new-country"}
    assert "from the country JP" in found["new-country"] and "from DE" in found["new-country"]
    assert "100 requests" in found["new-network"]


async def test_without_a_file_of_countries_only_the_network_is_noticed(books: Books, clock: StoppedClock) -> None:
    clock.us = LATER_US
    await quiet_fortnight(books)
    await spend(books, 1, 1)
    today = LATER_US // DAY_US
    seen = [(day, "192.0.2.7") for day in range(today - 20, today + 1)] + [(today, "198.51.100.7")]
    addresses = [
        KeyAddress(key_id=1, day=day, address=address, first_us=at_us, last_us=at_us, requests=100)
        for day, address in seen
        for at_us in [LATER_US - 60 if day == today else day * DAY_US]
    ]
    async with books.storage.writing() as unit:
        await unit.technical_data.note(SeenGroup(addresses))
    await watch_of(books).look()
    assert [alert.rule for alert in await abuse.list_all(books.storage, limit=10)] == ["new-network"]
