import asyncio
from dataclasses import replace

import pytest
from support.engines import Books

from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.accounts.accounts import Account, AccountStatus
from softix_proxy.domain.accounts.ceremonies import Ceremony, CeremonyKind
from softix_proxy.domain.ports.storage import Storage

SIGN_IN, LINK = CeremonyKind.OIDC_SIGN_IN, CeremonyKind.OIDC_LINK
MADE = Ceremony(
    kind=SIGN_IN,
    reference=b"state",
    browser=b"cookie",
    account_id=None,
    sealed=b"sealed",
    created_at_us=10,
    expires_at_us=20,
)


@pytest.fixture
def storage(empty_books: Books) -> Storage:
    return empty_books.storage


async def add(storage: Storage, ceremony: Ceremony = MADE) -> None:
    async with storage.writing() as unit:
        await unit.ceremonies.add(ceremony)


async def consume(storage: Storage, *, kind: CeremonyKind = SIGN_IN, browser: bytes = b"cookie") -> Ceremony | None:
    async with storage.writing() as unit:
        return await unit.ceremonies.consume(kind, b"state", browser, 19)


async def test_ceremony_is_found_until_it_ends_once(storage: Storage) -> None:
    await add(storage)
    assert await storage.reading().ceremonies.find(SIGN_IN, b"state", b"cookie", 19) == MADE
    assert await consume(storage) == MADE
    assert await consume(storage) is None
    assert await storage.reading().ceremonies.find(SIGN_IN, b"state", b"cookie", 19) is None


async def test_ceremony_that_many_end_at_once_is_ended_by_one(storage: Storage) -> None:
    await add(storage)
    ended = await asyncio.gather(*(consume(storage) for _ in range(8)))
    assert [one for one in ended if one is not None] == [MADE]


async def test_ceremony_of_another_browser_kind_or_time_is_not_ended(storage: Storage) -> None:
    await add(storage)
    assert await consume(storage, browser=b"another") is None
    assert await consume(storage, browser=b"") is None
    assert await consume(storage, kind=LINK) is None
    async with storage.writing() as unit:
        assert await unit.ceremonies.consume(SIGN_IN, b"state", b"cookie", 20) is None
    assert await consume(storage) == MADE


async def test_second_ceremony_of_a_reference_takes_the_place_of_the_first(storage: Storage) -> None:
    await add(storage)
    await add(storage, replace(MADE, sealed=b"other"))
    assert await consume(storage) == replace(MADE, sealed=b"other")


async def test_ceremonies_of_an_account_end_with_it_and_expired_ones_are_purged(storage: Storage) -> None:
    async with storage.writing() as unit:
        made = Account(0, "acc_ada", "ada@example.org", "Ada", UserRole.USER, AccountStatus.ACTIVE, 1)
        ada = await unit.accounts.add(made)
    await add(storage)
    await add(storage, replace(MADE, reference=b"other", account_id=ada.id))
    async with storage.writing() as unit:
        await unit.ceremonies.end_all(ada.id)
        assert await unit.ceremonies.find(SIGN_IN, b"other", b"cookie", 19) is None
        assert [await unit.ceremonies.purge(now_us) for now_us in (19, 20, 20)] == [0, 1, 0]
