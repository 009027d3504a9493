from __future__ import annotations

from typing import Any

import pytest
from support.books import NOW_US
from support.people import BOB, People

from softix_proxy.domain.access.keys import Key, KeyLimits, KeyStatus
from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.core.calendar import date_of
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.errors import NotFoundError
from softix_proxy.domain.privacy.technical_data import FURTHER, KeyAddress, KeyAgent, SeenGroup, TechnicalDataFilter
from softix_proxy.operations.access import users
from softix_proxy.operations.privacy import technical_data

DAY = NOW_US // DAY_US
ALL = TechnicalDataFilter()


async def used(people: People, name: str, *addresses: str) -> Key:
    """A user of this name, whose key was used from these addresses."""
    storage = people.storage
    user = await users.create(storage, name=name, email=f"{name}@example.org", role=UserRole.USER, postpaid=False)
    async with storage.writing() as unit:
        key = await unit.keys.add(
            Key(
                id=0,
                public_id=f"key_{name}",
                user_id=user.id,
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
        )
        rows = [KeyAddress(key.id, DAY, each, NOW_US, NOW_US + 1, 2) for each in addresses]
        agent = KeyAgent(key.id, DAY, "curl", "8.1", "Linux", "TLSv1.3", NOW_US, NOW_US, 2)
        await unit.technical_data.note(SeenGroup(rows, [agent]))
    return key


async def test_lines_name_the_key_and_its_user(people: People) -> None:
    await used(people, "lab", "192.0.2.1", FURTHER)
    await used(people, "shop", "192.0.2.2")
    lines = await technical_data.addresses(people.storage, user="lab", limit=9)
    fields: list[dict[str, Any]] = [technical_data.address_fields(line) for line in lines]
    assert {each["address"] for each in fields} == {"192.0.2.1", "further"}
    assert {(each["key"], each["requests"], each["day"]) for each in fields} == {
        ("key_lab", 2, date_of(DAY).isoformat())
    }
    assert all(each["user"].startswith("usr_") for each in fields)
    assert [line.key for line in await technical_data.addresses(people.storage, key="shop", limit=9)] == ["key_shop"]
    assert len(await technical_data.addresses(people.storage, limit=2)) == 2
    assert await technical_data.addresses(people.storage, since_us=NOW_US + DAY_US, limit=9) == []
    [agent] = await technical_data.agents(people.storage, key="key_lab", limit=9)
    told = technical_data.agent_fields(agent)
    assert (told["family"], told["version"], told["device"], told["tls"]) == ("curl", "8.1", "Linux", "TLSv1.3")


@pytest.mark.parametrize("of", ["key", "user"])
async def test_unknown_key_or_user_is_told(people: People, of: str) -> None:
    with pytest.raises(NotFoundError):
        await technical_data.addresses(people.storage, **{of: "nobody"}, limit=9)  # type: ignore[arg-type]
    purge = technical_data.purge_key if of == "key" else technical_data.purge_user
    with pytest.raises(NotFoundError):
        await purge(people.storage, "nobody")


async def test_purge_of_a_key_or_a_user_leaves_others(people: People) -> None:
    key, other = await used(people, "lab", "192.0.2.1", "192.0.2.3"), await used(people, "shop", "192.0.2.2")
    done = await technical_data.purge_key(people.storage, "lab")
    assert (done.subject, done.removed) == (key.public_id, 3)
    data = people.storage.reading().technical_data
    assert [row.key_id for row in await data.addresses(ALL, 9)] == [other.id]
    done = await technical_data.purge_user(people.storage, "shop")
    assert done.removed == 2 and done.subject.startswith("usr_")
    assert await data.addresses(ALL, 9) == [] and await data.agents(ALL, 9) == []


async def test_purge_of_an_account_empties_its_events_and_keeps_them(people: People) -> None:
    ada, bob = await people.member(), await people.member(BOB)
    await people.signed_in()
    before = await people.events(ada)
    done = await technical_data.purge_account(people.storage, ada.public_id)
    assert done.subject == ada.public_id and done.removed == len(before)
    assert await people.events(ada) == before
    events = people.storage.reading().security_events
    assert {(event.address, event.device) for event in await events.list(ada.id, 99)} == {("", "")}
    assert all(event.address for event in await events.list(bob.id, 99))
    with pytest.raises(NotFoundError):
        await technical_data.purge_account(people.storage, "acc_nobody")


async def test_purge_of_everybody_takes_short_transactions(people: People) -> None:
    await used(people, "lab", *(f"10.0.{at // 250}.{at % 250}" for at in range(900)))
    ada = await people.member()
    with people.counted() as work:
        done = await technical_data.purge_all(people.storage)
    assert done.removed == 901 + len(await people.events(ada)) and done.subject == ""
    assert len(work) == 3, "two of at most 500 rows each, and one that notes it"
    assert (await technical_data.purge_all(people.storage)).removed == 0
