import asyncio

import pytest
from support.playbook import USER, Directories

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.routing.directory import Changes
from softix_proxy.relay.core.live_directory import LiveDirectory


def live(*versions: Changes) -> tuple[LiveDirectory, Directories]:
    storage = Directories(*versions)
    return LiveDirectory(storage), storage  # type: ignore[arg-type]


class Gated(Directories):
    def __init__(self, *versions: Changes) -> None:
        super().__init__(*versions)
        self.gate = asyncio.Event()

    async def changes(self, since_revision: int) -> Changes:
        found = await super().changes(since_revision)
        await self.gate.wait()
        return found


async def test_directory_refreshed_many_times_at_once_reads_at_most_twice() -> None:
    directory, storage = live(Changes(1, users=(USER,)))
    await asyncio.gather(*(directory.refresh() for _ in range(50)))
    assert storage.reads <= 2 and directory.current.users == {1: USER}


async def test_directory_refresh_during_a_read_waits_for_the_next_read() -> None:
    """What the first one reads may be older than the second one's question."""
    storage = Gated(Changes(1), Changes(2, users=(USER,)))
    directory = LiveDirectory(storage)  # type: ignore[arg-type]
    asked = [asyncio.create_task(directory.refresh()) for _ in range(50)]
    await asyncio.sleep(0)
    assert storage.reads == 1
    storage.gate.set()
    await asyncio.gather(*asked)
    assert storage.reads == 2
    assert directory.current.revision == 2


async def test_directory_refreshed_one_after_the_other_reads_each_time() -> None:
    directory, storage = live(Changes(1))
    for _ in range(3):
        await directory.refresh()
    assert storage.reads == 3


async def test_directory_refresh_that_fails_raises_to_each_caller_and_recovers() -> None:
    class Failing(Directories):
        failures = 2

        async def changes(self, since_revision: int) -> Changes:
            found = await super().changes(since_revision)
            if self.failures:
                self.failures -= 1
                raise FailureError("the disk", "look at it")
            return found

    directory = LiveDirectory(Failing(Changes(1, users=(USER,))))  # type: ignore[arg-type]
    failed = await asyncio.gather(directory.refresh(), directory.refresh(), return_exceptions=True)
    assert [type(one) for one in failed] == [FailureError, FailureError]
    await directory.refresh()
    assert directory.current.revision == 1


async def test_directory_refresh_that_is_cancelled_does_not_stop_the_others() -> None:
    directory, _ = live(Changes(1, users=(USER,)))
    first, second = (asyncio.create_task(directory.refresh()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await second
    assert directory.current.revision == 1


async def test_directory_refreshed_for_anybody_reads_a_bounded_number_of_times() -> None:
    directory, storage = live(Changes(1, users=(USER,)))
    await directory.refresh_shared()
    assert storage.reads == 1, "the first one does not wait"
    loop = asyncio.get_running_loop()
    began_s, asked = loop.time(), 0
    while loop.time() - began_s < 0.3:
        await asyncio.gather(*(directory.refresh_shared() for _ in range(100)))
        asked += 100
    assert asked >= 300 and storage.reads <= 1 + asked // 100


async def test_directory_refreshed_for_anybody_is_as_new_as_the_call() -> None:
    directory, _ = live(Changes(1), Changes(2, users=(USER,)))
    await directory.refresh_shared()
    assert not directory.current.users and directory.was_read_within(10) and not directory.was_read_within(0)
    await directory.refresh_shared()
    assert directory.current.users == {1: USER}


async def test_directory_says_whether_anything_has_changed() -> None:
    directory, storage = live(Changes(1), Changes(1), Changes(2, users=(USER,)))
    found = [await directory.has_changed() for _ in range(3)]
    assert found == [True, False, True] and storage.reads == 3 and directory.current.users == {1: USER}
