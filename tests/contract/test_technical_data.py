from __future__ import annotations

from collections.abc import Sequence

import pytest
from support.books import NOW_US
from support.principals import EVE

from softix_proxy.domain.access.keys import Key, KeyLimits, KeyStatus
from softix_proxy.domain.accounts.audit import Outcome
from softix_proxy.domain.accounts.security_events import SecurityEvent
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.domain.privacy.technical_data import (
    FURTHER,
    MOST_ADDRESSES,
    MOST_AGENTS,
    MOST_NETWORKS,
    Agent,
    CallOrigin,
    GuessingNetwork,
    KeyAddress,
    KeyAgent,
    SeenGroup,
    TechnicalDataFilter,
)

TODAY = NOW_US // DAY_US
BEGUN_US = TODAY * DAY_US
ALL = TechnicalDataFilter()


def key(name: str, user_id: int) -> Key:
    return Key(
        id=0,
        public_id=f"key_{name}",
        user_id=user_id,
        label=name,
        prefix=f"sx_live_{name}",
        digest=name.encode().ljust(32),
        models=(),
        allow_ip=(),
        limits=KeyLimits(),
        status=KeyStatus.ACTIVE,
        expires_at_us=None,
        created_at_us=NOW_US,
    )


@pytest.fixture
async def keys(storage: Storage) -> Sequence[int]:
    """Adds a key of each of the two users. Returns their numbers."""
    async with storage.writing() as unit:
        return [(await unit.keys.add(key(f"k{user}", user))).id for user in (1, 2)]


def address(key_id: int, text: str, at_us: int = 5, requests: int = 1, day: int = TODAY) -> KeyAddress:
    begun_us = day * DAY_US
    return KeyAddress(key_id, day, text, begun_us + at_us, begun_us + at_us, requests)


def agent(key_id: int, family: str, requests: int = 1, day: int = TODAY, version: str = "1") -> KeyAgent:
    return KeyAgent(key_id, day, family, version, "Linux", "TLSv1.3", day * DAY_US, day * DAY_US + 1, requests)


async def note(storage: Storage, *rows: KeyAddress | KeyAgent | GuessingNetwork) -> None:
    seen = SeenGroup(
        [row for row in rows if isinstance(row, KeyAddress)],
        [row for row in rows if isinstance(row, KeyAgent)],
        [row for row in rows if isinstance(row, GuessingNetwork)],
    )
    async with storage.writing() as unit:
        await unit.technical_data.note(seen)


async def test_address_of_a_key_has_first_last_and_count_of_its_day(storage: Storage, keys: Sequence[int]) -> None:
    one, two = keys
    await note(storage, address(one, "192.0.2.1", 50, 2), address(one, "192.0.2.1", 10), address(two, "192.0.2.1", 90))
    await note(storage, address(one, "192.0.2.1", 70, 4), address(one, "2001:db8::1", 60))
    await note(storage, address(one, "192.0.2.1", 3, 1, TODAY - 1))
    found = await storage.reading().technical_data.addresses_of_key(one)
    yesterday_us = BEGUN_US - DAY_US
    assert found == [
        KeyAddress(one, TODAY, "192.0.2.1", BEGUN_US + 10, BEGUN_US + 70, 7),
        KeyAddress(one, TODAY, "2001:db8::1", BEGUN_US + 60, BEGUN_US + 60, 1),
        KeyAddress(one, TODAY - 1, "192.0.2.1", yesterday_us + 3, yesterday_us + 3, 1),
    ]


async def test_addresses_since_an_instant_are_those_used_then(storage: Storage, keys: Sequence[int]) -> None:
    one = keys[0]
    await note(storage, address(one, "192.0.2.1", 10), address(one, "192.0.2.2", 20), address(one, "192.0.2.3", 30))
    found = await storage.reading().technical_data.addresses_of_key(one, BEGUN_US + 20)
    assert [row.address for row in found] == ["192.0.2.3", "192.0.2.2"]


async def test_rows_are_listed_of_a_key_of_a_user_or_of_all(storage: Storage, keys: Sequence[int]) -> None:
    one, two = keys
    await note(storage, address(one, "192.0.2.1", 1), address(two, "192.0.2.2", 2), address(one, "192.0.2.3", 3))
    await note(storage, agent(one, "curl"), agent(two, "Firefox", 2))
    data = storage.reading().technical_data
    assert [row.address for row in await data.addresses(ALL, 9)] == ["192.0.2.3", "192.0.2.2", "192.0.2.1"]
    assert [row.address for row in await data.addresses(ALL, 1)] == ["192.0.2.3"]
    assert [row.key_id for row in await data.addresses(TechnicalDataFilter(user_id=2), 9)] == [two]
    assert [row.key_id for row in await data.addresses(TechnicalDataFilter(key_id=one), 9)] == [one, one]
    assert [row.family for row in await data.agents(TechnicalDataFilter(user_id=2), 9)] == ["Firefox"]
    assert len(await data.agents(ALL, 9)) == 2


async def test_agents_are_told_apart_by_each_part_and_counted(storage: Storage, keys: Sequence[int]) -> None:
    one = keys[0]
    await note(storage, agent(one, "curl"), agent(one, "curl"), agent(one, "curl", version="2"))
    await note(storage, agent(one, "curl", 5))
    found = await storage.reading().technical_data.agents(ALL, 9)
    assert [(row.version, row.requests, row.tls) for row in found] == [("1", 7, "TLSv1.3"), ("2", 1, "TLSv1.3")]


@pytest.mark.parametrize("groups", [1, 3])
async def test_addresses_beyond_the_bound_of_a_day_are_counted_together(
    storage: Storage, keys: Sequence[int], groups: int
) -> None:
    one, two = keys
    rows = [address(one, f"2001:db8::{at:x}", at) for at in range(MOST_ADDRESSES + 30)]
    share = -(-len(rows) // groups)
    for at in range(0, len(rows), share):
        await note(storage, *rows[at : at + share])
    await note(storage, address(two, "192.0.2.1"), address(one, "2001:db8::0", 9), address(one, "192.0.2.9", 8, 7))
    found = await storage.reading().technical_data.addresses_of_key(one)
    assert len(found) == MOST_ADDRESSES + 1
    [further] = [row for row in found if row.address == FURTHER]
    assert further.requests == 30 + 7
    assert sum(row.requests for row in found) == MOST_ADDRESSES + 30 + 1 + 7
    assert {row.address for row in found if row.requests == 2} == {"2001:db8::0"}
    assert len(await storage.reading().technical_data.addresses_of_key(two)) == 1


async def test_agents_and_networks_beyond_the_bound_are_counted_together(storage: Storage, keys: Sequence[int]) -> None:
    await note(storage, *[agent(keys[0], "curl", version=str(at)) for at in range(MOST_AGENTS + 5)])
    found = await storage.reading().technical_data.agents(ALL, 500)
    assert len(found) == MOST_AGENTS + 1
    [further] = [row for row in found if row.family == FURTHER]
    assert (further.version, further.device, further.tls, further.requests) == ("", "", "", 5)
    await note(storage, *[GuessingNetwork(TODAY, f"10.0.{at}.1", 1, 1, 1, 2) for at in range(MOST_NETWORKS + 3)])
    guesses = await storage.reading().technical_data.guesses(0, 5000)
    assert guesses[0] == GuessingNetwork(TODAY, FURTHER, 1, 1, 3, 6) and len(guesses) == MOST_NETWORKS + 1


async def test_guesses_are_added_up_by_network_the_most_first(storage: Storage) -> None:
    await note(storage, GuessingNetwork(TODAY, "192.0.2.1", BEGUN_US, BEGUN_US + 4, 2, 0))
    await note(storage, GuessingNetwork(TODAY, "192.0.2.2", BEGUN_US, BEGUN_US + 4, 3, 9))
    await note(storage, GuessingNetwork(TODAY, "192.0.2.1", BEGUN_US + 2, BEGUN_US + 9, 4, 1))
    found = await storage.reading().technical_data.guesses(BEGUN_US, 9)
    assert [(row.network, row.failed, row.slowed) for row in found] == [("192.0.2.2", 3, 9), ("192.0.2.1", 6, 1)]
    assert [row.network for row in await storage.reading().technical_data.guesses(BEGUN_US + 5, 9)] == ["192.0.2.1"]


async def test_rows_of_a_key_that_exists_no_more_are_left_out(storage: Storage, keys: Sequence[int]) -> None:
    await note(storage, address(keys[0], "192.0.2.1"), address(99, "192.0.2.2"), agent(99, "curl"))
    assert [row.key_id for row in await storage.reading().technical_data.addresses(ALL, 9)] == [keys[0]]
    assert await storage.reading().technical_data.agents(ALL, 9) == []


async def test_purge_by_age_removes_whole_days_at_most_so_many_rows(storage: Storage, keys: Sequence[int]) -> None:
    one = keys[0]
    await note(storage, *[address(one, f"192.0.2.{at}", day=TODAY - 9) for at in range(5)], address(one, "192.0.2.1"))
    await note(storage, agent(one, "curl", day=TODAY - 9), GuessingNetwork(TODAY - 9, "192.0.2.1", 1, 1, 1, 0))
    async with storage.writing() as unit:
        assert await unit.technical_data.purge_before(BEGUN_US - 5 * DAY_US, 4) == 4
        assert await unit.technical_data.purge_before(BEGUN_US - 5 * DAY_US, 4) == 3
        assert await unit.technical_data.purge_before(BEGUN_US - 5 * DAY_US, 4) == 0
        assert [row.day for row in await unit.technical_data.addresses(ALL, 9)] == [TODAY]
        assert await unit.technical_data.guesses(0, 9) == []


async def test_purge_of_a_key_leaves_other_keys(storage: Storage, keys: Sequence[int]) -> None:
    one, two = keys
    await note(storage, address(one, "192.0.2.1"), agent(one, "curl"), address(two, "192.0.2.1"), agent(two, "curl"))
    async with storage.writing() as unit:
        assert await unit.technical_data.purge_key(one, 9) == 2
        assert [row.key_id for row in await unit.technical_data.addresses(ALL, 9)] == [two]
        assert [row.key_id for row in await unit.technical_data.agents(ALL, 9)] == [two]


async def test_purge_of_everything_leaves_nothing(storage: Storage, keys: Sequence[int]) -> None:
    await note(storage, address(keys[0], "192.0.2.1"), agent(keys[0], "curl"))
    await note(storage, GuessingNetwork(TODAY, "192.0.2.1", 1, 1, 1, 0))
    async with storage.writing() as unit:
        assert await unit.technical_data.purge_all(2) == 2
        assert await unit.technical_data.purge_all(2) == 1
        assert await unit.technical_data.purge_all(2) == 0


HOME = CallOrigin("192.0.2.7", Agent("Firefox", "133.0", "Linux"), "TLSv1.3")


async def audited(storage: Storage, origin: CallOrigin | None, subject: str = "key_one") -> int:
    """Writes an entry of the audit and a security event of account 1. Returns the number of the entry."""
    async with storage.writing() as unit:
        if origin is not None:
            unit.origin = origin
        await unit.security_events.add(SecurityEvent(0, 5, 1, "signed_in", "192.0.2.7", "Firefox on Linux"))
        return (await unit.audit.add(EVE, "keys.update", subject, Outcome.DONE)).id


@pytest.mark.usefixtures("people")
async def test_origin_of_a_transaction_is_kept_beside_its_entry_and_events(storage: Storage) -> None:
    first, second = await audited(storage, HOME), await audited(storage, None)
    data, events = storage.reading().technical_data, storage.reading().security_events
    assert await data.origin_of(first) == HOME and await data.origin_of(second) is None
    told = [(event.version, event.tls) for event in await events.list(1, 9)]
    assert told == [("", ""), ("133.0", "TLSv1.3")]


@pytest.mark.usefixtures("people")
async def test_purge_of_origins_leaves_the_audit_as_it_was(storage: Storage) -> None:
    await audited(storage, HOME)
    before = await storage.reading().audit.page(None, 9)
    async with storage.writing() as unit:
        assert await unit.technical_data.purge_account(1, EVE.id, 9) == 2
        assert await unit.technical_data.purge_account(1, EVE.id, 9) == 0
        assert await unit.technical_data.origin_of(1) is None
        [event] = await unit.security_events.list(1, 9)
        assert (event.address, event.device, event.version, event.tls) == ("", "", "", "")
    assert await storage.reading().audit.page(None, 9) == before


@pytest.mark.usefixtures("people")
async def test_origins_are_purged_by_age_and_with_everything(storage: Storage) -> None:
    first = await audited(storage, HOME)
    data = storage.reading().technical_data
    async with storage.writing() as unit:
        assert await unit.technical_data.purge_before(NOW_US, 9) == 0
        assert await unit.technical_data.purge_before(NOW_US + 1, 9) == 1
    assert await data.origin_of(first) is None
    second = await audited(storage, HOME)
    async with storage.writing() as unit:
        assert await unit.technical_data.purge_all(9) == 3, "the origin and what two events knew"
    assert await data.origin_of(second) is None


async def test_purge_is_noted_and_its_change_can_be_audited(storage: Storage) -> None:
    async with storage.writing(recorded=True) as unit:
        await unit.technical_data.note_purge("key_one", 7)
        [change] = await unit.audit.changes()
    assert (change.kind, change.id, change.after) == ("purge", "technical-data", {"subject": "key_one", "removed": 7})
