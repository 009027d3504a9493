from dataclasses import replace

import pytest

from softix_proxy.domain.accounts.security_events import SecurityEvent
from softix_proxy.domain.ports.storage import Storage

pytestmark = pytest.mark.usefixtures("people")
EVENT = SecurityEvent(
    id=0,
    at_us=10,
    account_id=1,
    kind="signed_in",
    address="192.0.2.7",
    device="Firefox on Linux",
    subject="ses_one",
)


async def add(storage: Storage, *events: SecurityEvent) -> None:
    async with storage.writing() as unit:
        for event in events:
            await unit.security_events.add(event)


async def test_security_events_are_listed_from_the_newest_of_an_account_or_of_all(storage: Storage) -> None:
    await add(storage, EVENT, replace(EVENT, account_id=2), replace(EVENT, account_id=None, kind="sign_in_failed"))
    await add(storage, replace(EVENT, at_us=20, kind="password_changed"))
    events = storage.reading().security_events
    assert [(event.kind, event.at_us) for event in await events.list(1, 9)] == [
        ("password_changed", 20),
        ("signed_in", 10),
    ]
    assert [event.account_id for event in await events.list(None, 9)] == [1, None, 2, 1]
    assert [event.kind for event in await events.list(1, 1)] == ["password_changed"]
    third = (await events.list(None, 9))[2]
    assert [event.account_id for event in await events.list(None, 9, third.id)] == [1]
    assert await events.list(2, 9, third.id) == [] and len(await events.list(1, 1, third.id)) == 1
    [oldest] = (await events.list(None, 9))[3:]
    assert oldest == replace(EVENT, id=oldest.id)


async def test_device_is_known_once_the_account_signed_in_from_it(storage: Storage) -> None:
    events = storage.reading().security_events
    await add(storage, replace(EVENT, kind="sign_in_failed"), replace(EVENT, account_id=2))
    assert not await events.has_seen(1, EVENT.device)
    assert not await events.has_seen(1)
    await add(storage, EVENT)
    assert await events.has_seen(1, EVENT.device)
    assert await events.has_seen(1)
    assert not await events.has_seen(1, "Safari on iPhone")


async def test_security_events_before_an_instant_are_purged(storage: Storage) -> None:
    await add(storage, EVENT, replace(EVENT, at_us=20))
    async with storage.writing() as unit:
        assert await unit.security_events.purge(20, 9) == 1
        assert await unit.security_events.purge(20, 9) == 0
    assert [event.at_us for event in await storage.reading().security_events.list(None, 9)] == [20]
