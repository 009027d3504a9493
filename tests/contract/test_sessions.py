from dataclasses import replace

import pytest

from softix_proxy.domain.accounts.sessions import Session, SignInMethod
from softix_proxy.domain.ports.storage import Storage

pytestmark = pytest.mark.usefixtures("people")
ADA, BOB = 1, 2
SESSION = Session(
    id=0,
    public_id="ses_one",
    account_id=ADA,
    digest=b"one",
    method=SignInMethod.PASSWORD,
    second_factor=False,
    is_pending=True,
    device="Firefox on Linux",
    created_at_us=10,
    seen_at_us=11,
    reauthenticated_at_us=12,
    idle_ends_at_us=100,
    ends_at_us=200,
)


async def add(storage: Storage, name: str = "one", **changes: object) -> Session:
    asked = replace(SESSION, public_id=f"ses_{name}", digest=name.encode(), **changes)  # type: ignore[arg-type]
    async with storage.writing() as unit:
        return await unit.sessions.add(asked)


async def test_added_session_is_found_by_its_digest_until_it_ends(storage: Storage) -> None:
    added = await add(storage)
    assert added == replace(SESSION, id=added.id)
    sessions = storage.reading().sessions
    assert await sessions.by_digest(b"one", 99) == added
    assert await sessions.by_digest(b"one", 100) is None, "it was not used for too long"
    assert await sessions.by_digest(b"other", 50) is None


async def test_session_ends_for_good_however_much_it_is_used(storage: Storage) -> None:
    added = await add(storage)
    async with storage.writing() as unit:
        await unit.sessions.update(replace(added, idle_ends_at_us=900))
    assert await storage.reading().sessions.by_digest(b"one", 199) is not None
    assert await storage.reading().sessions.by_digest(b"one", 200) is None


async def test_session_update_writes_what_may_change(storage: Storage) -> None:
    added = await add(storage)
    changed = replace(
        added,
        digest=b"new",
        method=SignInMethod.OIDC,
        second_factor=True,
        is_pending=False,
        seen_at_us=21,
        reauthenticated_at_us=22,
        idle_ends_at_us=120,
        ends_at_us=220,
    )
    async with storage.writing() as unit:
        await unit.sessions.update(changed)
    assert await storage.reading().sessions.by_digest(b"one", 50) is None
    assert await storage.reading().sessions.by_digest(b"new", 50) == changed


async def test_sessions_of_an_account_are_listed_from_the_latest_seen_without_ended_ones(storage: Storage) -> None:
    first, second = await add(storage, "first", seen_at_us=20), await add(storage, "second", seen_at_us=30)
    await add(storage, "idle", idle_ends_at_us=50)
    await add(storage, "over", ends_at_us=50)
    await add(storage, "bob", account_id=BOB)
    assert await storage.reading().sessions.list(ADA, 50) == [second, first]


async def test_session_that_is_ended_opens_nothing(storage: Storage) -> None:
    added, other = await add(storage), await add(storage, "other")
    async with storage.writing() as unit:
        await unit.sessions.end(added.id)
        await unit.sessions.end(added.id)
    assert await storage.reading().sessions.list(ADA, 50) == [other]


async def test_other_sessions_of_an_account_end_but_the_one_that_is_named(storage: Storage) -> None:
    kept = await add(storage, "kept")
    for name in ("a", "b"):
        await add(storage, name)
    foreign = await add(storage, "bob", account_id=BOB)
    async with storage.writing() as unit:
        assert await unit.sessions.end_others(ADA, but=kept.id) == 2
    assert await storage.reading().sessions.list(ADA, 50) == [kept]
    async with storage.writing() as unit:
        assert await unit.sessions.end_others(ADA) == 1
    assert await storage.reading().sessions.list(ADA, 50) == []
    assert await storage.reading().sessions.list(BOB, 50) == [foreign]


async def test_sessions_that_have_ended_are_purged(storage: Storage) -> None:
    live = await add(storage, "live")
    await add(storage, "idle", idle_ends_at_us=50)
    await add(storage, "over", ends_at_us=50)
    async with storage.writing() as unit:
        assert await unit.sessions.purge(50, 9) == 2
        assert await unit.sessions.purge(50, 9) == 0
    assert await storage.reading().sessions.list(ADA, 50) == [live]
