from softix_proxy.domain.accounts.throttles import LONGEST_WINDOW_US, ThrottleRule
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.ports.storage import Storage

RULE = ThrottleRule("tries", per_hour=60, burst=3)
"""Three at once, and then one a minute."""
MINUTE_US = 60 * SECOND_US
NOW_US = 1_000 * MINUTE_US


async def arrive(storage: Storage, subject: str = "ada", now_us: int = NOW_US, rule: ThrottleRule = RULE) -> int:
    async with storage.writing() as unit:
        return await unit.throttles.arrive(rule, subject, now_us)


async def test_throttle_lets_a_burst_through_and_then_its_rate(storage: Storage) -> None:
    assert [await arrive(storage) for _ in range(4)] == [0, 0, 0, MINUTE_US]
    assert await arrive(storage, now_us=NOW_US + MINUTE_US // 2) == MINUTE_US // 2
    assert await arrive(storage, now_us=NOW_US + MINUTE_US) == 0


async def test_attempt_that_has_to_wait_is_not_counted(storage: Storage) -> None:
    """Or somebody who keeps trying locks the owner out for ever."""
    for _ in range(50):
        await arrive(storage)
    assert await arrive(storage) == MINUTE_US
    assert await arrive(storage, now_us=NOW_US + MINUTE_US) == 0


async def test_wait_is_told_without_counting_an_attempt(storage: Storage) -> None:
    for _ in range(3):
        assert await storage.reading().throttles.wait_us(RULE, "ada", NOW_US) == 0
    for _ in range(3):
        assert await arrive(storage) == 0
    for _ in range(2):
        assert await storage.reading().throttles.wait_us(RULE, "ada", NOW_US) == MINUTE_US


async def test_throttle_counts_each_subject_and_each_rule_apart(storage: Storage) -> None:
    assert [await arrive(storage) for _ in range(3)] == [0, 0, 0]
    assert await arrive(storage, "bob") == 0
    assert await arrive(storage, rule=RULE._replace(name="others")) == 0
    assert await arrive(storage) > 0


async def test_throttle_of_a_transaction_that_was_undone_counts_nothing(storage: Storage) -> None:
    for _ in range(5):
        try:
            async with storage.writing() as unit:
                await unit.throttles.arrive(RULE, "ada", NOW_US)
                raise LookupError
        except LookupError:
            pass
    assert [await arrive(storage) for _ in range(3)] == [0, 0, 0]


async def test_throttle_takes_an_attempt_back_and_no_more_than_were_made(storage: Storage) -> None:
    for _ in range(3):
        await arrive(storage)
    async with storage.writing() as unit:
        await unit.throttles.give_back(RULE, "ada", NOW_US)
    assert [await arrive(storage), await arrive(storage)] == [0, MINUTE_US]
    async with storage.writing() as unit:
        for _ in range(9):
            await unit.throttles.give_back(RULE, "ada", NOW_US)
            await unit.throttles.give_back(RULE, "nobody", NOW_US)
    assert [await arrive(storage) for _ in range(4)] == [0, 0, 0, MINUTE_US]


async def test_throttle_that_is_forgotten_starts_anew(storage: Storage) -> None:
    for _ in range(3):
        await arrive(storage)
    async with storage.writing() as unit:
        await unit.throttles.forget(RULE, "ada")
    assert [await arrive(storage) for _ in range(3)] == [0, 0, 0]


async def test_throttle_counted_by_a_clock_that_was_ahead_makes_nobody_wait_for_it(storage: Storage) -> None:
    for _ in range(3):
        await arrive(storage, now_us=NOW_US + 1000 * MINUTE_US)
    assert await arrive(storage) == 0


async def test_throttles_are_purged_a_few_at_a_time_so_that_nobody_waits_for_the_write_lock(storage: Storage) -> None:
    for number in range(5):
        await arrive(storage, f"s{number}")
    async with storage.writing() as unit:
        assert [await unit.throttles.purge(NOW_US + MINUTE_US, 2) for _ in range(4)] == [2, 2, 1, 0]


async def test_throttles_are_purged_once_they_mean_nothing(storage: Storage) -> None:
    await arrive(storage)
    await arrive(storage, "later", NOW_US + 5 * MINUTE_US)
    await arrive(storage, "wrong clock", NOW_US + LONGEST_WINDOW_US + 2 * MINUTE_US)
    async with storage.writing() as unit:
        assert await unit.throttles.purge(NOW_US, 9) == 1
        assert await unit.throttles.purge(NOW_US + MINUTE_US, 9) == 1
        assert await unit.throttles.purge(NOW_US + 6 * MINUTE_US, 9) == 1
