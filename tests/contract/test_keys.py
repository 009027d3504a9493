from dataclasses import replace

import pytest
from support.books import NOW_US, USD, StoppedClock, make_intent, make_settlement
from support.engines import Books

from softix_proxy.domain.access.keys import Key, KeyLimits, KeyStatus, Spend
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.errors import FailureError, NotFoundError
from softix_proxy.domain.ports.storage import Storage

KEY = Key(
    id=0,
    public_id="key_new",
    user_id=1,
    label="laptop",
    prefix="sx_live_nnnn",
    digest=b"\x0a" * 32,
    models=("gpt-*", "lab/*"),
    allow_ip=("10.0.0.0/8",),
    limits=KeyLimits(60, 1000, 3, 5 * USD, "month"),
    status=KeyStatus.ACTIVE,
    expires_at_us=NOW_US + 5,
    created_at_us=NOW_US,
)


async def add(storage: Storage, rotated_from: int | None = None, **changes: object) -> Key:
    async with storage.writing() as unit:
        return await unit.keys.add(replace(KEY, **changes), rotated_from=rotated_from)  # type: ignore[arg-type]


async def spend(books: Books, *, settled: bool = True) -> None:
    """A quarter of a dollar by key 1, or an open request."""
    if settled:
        await books.settle([make_settlement(make_intent(1, 0))], NOW_US)
    else:
        await books.admit([make_intent(2, 0)], NOW_US)


async def test_added_key_is_found_by_each_of_its_references(storage: Storage) -> None:
    added = await add(storage)
    keys = storage.reading().keys
    assert added == replace(KEY, id=added.id) and await keys.get(added.id) == added
    for reference in ("key_new", "sx_live_nnnn", "laptop"):
        assert await keys.find(reference) == added
    assert [key.public_id for key in await keys.list()] == ["key_ada", "key_bob", "key_new"]
    assert [key.public_id for key in await keys.list(1)] == ["key_ada", "key_new"]
    assert await keys.find("none") is None
    with pytest.raises(NotFoundError):
        await keys.get(99)


async def test_key_without_limits_is_read_back_without_limits(storage: Storage) -> None:
    plain = await add(storage, limits=KeyLimits(), models=(), allow_ip=(), expires_at_us=None)
    assert (plain.limits, plain.models, plain.allow_ip, plain.expires_at_us) == (KeyLimits(), (), (), None)


async def test_key_reference_with_two_matches_finds_nothing(storage: Storage) -> None:
    await add(storage)
    await add(storage, public_id="key_two", digest=b"\x0b" * 32)
    assert await storage.reading().keys.find("laptop") is None
    assert await storage.reading().keys.find("sx_live_nnnn") is None
    assert await storage.reading().keys.find("key_two") is not None


async def test_key_with_a_digest_that_is_taken_is_refused(storage: Storage) -> None:
    await add(storage)
    with pytest.raises(FailureError):
        await add(storage, public_id="key_two")


async def test_key_update_writes_only_the_columns_that_may_change(storage: Storage) -> None:
    added = await add(storage)
    changed = replace(
        added,
        label="other",
        models=(),
        allow_ip=("::1/128",),
        limits=KeyLimits(cap_pico=0, cap_period="day"),
        status=KeyStatus.REVOKED,
        expires_at_us=None,
    )
    async with storage.writing() as unit:
        await unit.keys.update(replace(changed, prefix="x", digest=b"x"))
    assert await storage.reading().keys.get(added.id) == changed


async def test_key_spend_after_a_period_has_ended_counts_only_the_current_periods(
    storage: Storage, books: Books, clock: StoppedClock
) -> None:
    assert await storage.reading().keys.spend(1) == Spend()
    await spend(books)
    await spend(books, settled=False)
    quarter = USD // 4
    assert await storage.reading().keys.spend(1) == Spend(quarter, quarter, quarter, quarter, USD, 1)
    clock.us += DAY_US
    assert (await storage.reading().keys.spend(1)).of("day") == 0
    clock.us += 40 * DAY_US
    assert await storage.reading().keys.spend(1) == Spend(total_pico=quarter, held_pico=USD, open_requests=1)


async def test_key_spend_after_rotation_includes_that_of_the_old_key(storage: Storage, books: Books) -> None:
    await spend(books)
    await spend(books, settled=False)
    new = await add(storage, rotated_from=1)
    quarter = USD // 4
    assert await storage.reading().keys.spend(new.id) == Spend(quarter, quarter, quarter, quarter)
    async with storage.snapshot() as unit:
        assert (await unit.ledger.verify()).violations == ()


async def test_key_that_never_spent_is_rotated_with_zero_spend(storage: Storage) -> None:
    new = await add(storage, rotated_from=2)
    assert await storage.reading().keys.spend(new.id) == Spend()


async def test_keys_pages_are_the_newest_first_and_of_one_user_if_asked(storage: Storage) -> None:
    made = await add(storage)
    keys = storage.reading().keys
    assert [key.public_id for key in await keys.page("", None, 2)] == ["key_new", "key_bob"]
    assert [key.public_id for key in await keys.page("", made.id, 9)] == ["key_bob", "key_ada"]
    assert [key.public_id for key in await keys.page("", None, 9, 1)] == ["key_new", "key_ada"]


@pytest.mark.parametrize(
    ("text", "found"),
    [("sx_live_n", ["key_new"]), ("key_n", ["key_new"]), ("LAP", ["key_new"]), ("live_n", []), ("%", [])],
)
async def test_keys_page_finds_by_the_beginning_of_prefix_or_id_and_within_labels(
    storage: Storage, text: str, found: list[str]
) -> None:
    await add(storage)
    assert [key.public_id for key in await storage.reading().keys.page(text, None, 9)] == found
