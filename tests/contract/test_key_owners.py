from dataclasses import replace

import pytest
from support.books import NOW_US, USD, StoppedClock, make_intent, make_settlement
from support.engines import Books
from support.organisation import own, person, project

from softix_proxy.domain.organisations.key_owners import NOBODY, KeyOwner
from softix_proxy.domain.ports.storage import Storage


async def test_key_belongs_to_those_to_whom_it_was_given_last(storage: Storage) -> None:
    alan, bot = await person(storage, "alan"), await project(storage, "bot")
    assert await storage.reading().key_owners.get(1) == NOBODY
    await own(storage, 1, account_id=alan.id)
    await own(storage, 1, account_id=alan.id, project_id=bot.id)
    unit = storage.reading()
    assert await unit.key_owners.get(1) == KeyOwner(alan.id, bot.id)
    assert await unit.key_owners.list(1) == {1: KeyOwner(alan.id, bot.id)} and await unit.key_owners.list(2) == {}
    await own(storage, 1)
    assert await storage.reading().key_owners.list(1) == {}


async def test_changed_owner_leaves_the_directory_as_it_is(storage: Storage) -> None:
    bot = await project(storage, "bot")
    revision = (await storage.changes(0)).revision
    await own(storage, 1, project_id=bot.id)
    assert (await storage.changes(0)).revision == revision


async def test_key_that_replaces_another_belongs_to_its_owners(storage: Storage) -> None:
    alan = await person(storage, "alan")
    await own(storage, 1, account_id=alan.id)
    async with storage.writing() as unit:
        old = await unit.keys.get(1)
        new = await unit.keys.add(replace(old, public_id="key_new", digest=b"new"), rotated_from=1)
        plain = await unit.keys.add(replace(old, public_id="key_own", digest=b"own"))
        other = await unit.keys.add(replace(old, public_id="key_two", digest=b"two", user_id=2), rotated_from=2)
        assert await unit.key_owners.get(new.id) == KeyOwner(alan.id)
        assert await unit.key_owners.get(plain.id) == await unit.key_owners.get(other.id) == NOBODY


@pytest.mark.parametrize("apart_us", [0, 1, 1000])
async def test_budget_keeps_what_was_spent_before_its_key_went_to_another_owner(
    books: Books, clock: StoppedClock, apart_us: int
) -> None:
    """The open hold goes with the key, because its charge is posted for the new owner."""
    from softix_proxy.domain.organisations.organisations import OPERATOR
    from softix_proxy.operations.metering import budgets

    storage = books.storage
    bot, desk = await project(storage, "bot"), await project(storage, "desk")
    await own(storage, 1, project_id=bot.id)
    for name in ("bot", "desk"):
        await budgets.set_to(storage, "usr_ada", 10 * USD, "day", OPERATOR, project=name)
    running = make_intent(2, 0, hold_pico=3 * USD)
    await books.settle([make_settlement(make_intent(1, 0), charge_pico=5)], NOW_US)
    await books.admit([running], NOW_US)
    clock.us += apart_us
    await own(storage, 1, project_id=desk.id)

    async def states() -> list[tuple[int, int]]:
        async with storage.snapshot() as unit:
            assert (await unit.ledger.verify()).violations == ()
            return [(budget.spent_pico, budget.held_pico) for budget in await unit.budgets.list(1)]

    assert await states() == [(5, 0), (0, 3 * USD)]
    await books.settle_open([make_settlement(running, charge_pico=7)], clock.us)
    assert await states() == [(5, 0), (7, 0)]
