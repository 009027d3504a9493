"""One password is hashed at a time, a few wait, and the others are refused."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import AsyncIterator

import pytest

from softix_proxy.domain.core.errors import OverloadedError
from softix_proxy.vault.password_hasher import QueuedPasswordHasher

PASSWORD = secrets.token_urlsafe(12)


class SlowHash:
    """Hashes when it is let go on, and notes how many did so at once."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.begun = threading.Semaphore(0)
        self.running = 0
        self.most_at_once = 0
        self.done: list[str] = []

    def __call__(self, text: str) -> str:
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        self.begun.release()
        self.go_on.wait()
        self.running -= 1
        self.done.append(text)
        return text.upper()

    async def has_begun(self) -> None:
        await asyncio.to_thread(self.begun.acquire)


@pytest.fixture
def slow() -> SlowHash:
    return SlowHash()


@pytest.fixture
async def hasher(slow: SlowHash) -> AsyncIterator[QueuedPasswordHasher]:
    made = QueuedPasswordHasher(3, make=slow)
    yield made
    slow.go_on.set()
    await made.close()


async def test_real_password_is_hashed_verified_and_scored() -> None:
    hasher = QueuedPasswordHasher()
    try:
        hashed = await hasher.hash(PASSWORD)
        assert await hasher.verify(hashed, PASSWORD)
        assert not await hasher.verify(hashed, "another")
        assert not await hasher.verify(None, PASSWORD)
        assert not hasher.is_outdated(hashed)
        assert hasher.is_outdated("$argon2id$v=19$m=32768,t=2,p=1$c2FsdHNhbHQ$aGFzaA")
    finally:
        await hasher.close()


@pytest.mark.parametrize(
    ("password", "is_enough"),
    [
        ("passwordpassword", False),
        ("aaaaaaaaaaaa", False),
        ("qwertyuiop123", False),
        ("lovelace1815", False),
        ("abcdefghijkl", False),
        ("k7xw9qzm", True),
        ("correct horse battery staple", True),
        ("Grüße an Tante Käthe", True),
        ("👩‍💻🦊🌋🧶🪵🧃🪁", True),
        ("x7" * 500, False),
    ],
)
async def test_score_tells_what_is_guessed_soon_from_what_is_not(password: str, is_enough: bool) -> None:
    hasher = QueuedPasswordHasher()
    try:
        assert (await hasher.score(password, ["ada lovelace", "lovelace"]) >= 2) is is_enough
    finally:
        await hasher.close()


async def test_passwords_are_hashed_one_at_a_time_in_their_order(hasher: QueuedPasswordHasher, slow: SlowHash) -> None:
    jobs = [asyncio.create_task(hasher.hash(text)) for text in ("a", "b", "c")]
    await slow.has_begun()
    slow.go_on.set()
    assert await asyncio.gather(*jobs) == ["A", "B", "C"]
    assert slow.most_at_once == 1 and slow.done == ["a", "b", "c"]


async def test_flood_of_passwords_fills_the_queue_and_is_refused(hasher: QueuedPasswordHasher, slow: SlowHash) -> None:
    """keycloak#28477: a flood of sign-ins took all threads and all memory."""
    jobs = [asyncio.create_task(hasher.hash(text)) for text in ("a", "b", "c")]
    await slow.has_begun()
    for refused in (hasher.hash("d"), hasher.verify(None, "d"), hasher.score("d", [])):
        with pytest.raises(OverloadedError) as error:
            await refused
        assert error.value.retry_after_s == 5 and error.value.remedy
    with pytest.raises(OverloadedError):
        hasher.require_room()
    slow.go_on.set()
    await asyncio.gather(*jobs)
    hasher.require_room()
    assert await hasher.hash("d") == "D"


async def test_caller_that_leaves_while_it_waits_gives_its_place_up_and_is_never_hashed(
    hasher: QueuedPasswordHasher, slow: SlowHash
) -> None:
    first = asyncio.create_task(hasher.hash("a"))
    await slow.has_begun()
    leaving = [asyncio.create_task(hasher.hash(text)) for text in ("b", "c")]
    await asyncio.sleep(0)
    for one in leaving:
        one.cancel()
    await asyncio.gather(*leaving, return_exceptions=True)
    last = asyncio.create_task(hasher.hash("d"))
    slow.go_on.set()
    assert await asyncio.gather(first, last) == ["A", "D"]
    assert slow.done == ["a", "d"] and all(one.cancelled() for one in leaving)


async def test_caller_that_leaves_while_it_is_hashed_lets_no_second_one_run_beside_it(
    hasher: QueuedPasswordHasher, slow: SlowHash
) -> None:
    first = asyncio.create_task(hasher.hash("a"))
    await slow.has_begun()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    second = asyncio.create_task(hasher.hash("b"))
    await asyncio.sleep(0)
    slow.go_on.set()
    assert await second == "B"
    assert slow.most_at_once == 1 and slow.done == ["a", "b"]


async def test_closing_finishes_the_one_that_runs_and_refuses_those_who_wait(
    hasher: QueuedPasswordHasher, slow: SlowHash
) -> None:
    jobs = [asyncio.create_task(hasher.hash(text)) for text in ("a", "b", "c")]
    await slow.has_begun()
    closing = asyncio.create_task(hasher.close())
    refused = await asyncio.gather(*jobs[1:], return_exceptions=True)
    assert [type(error) for error in refused] == [OverloadedError] * 2
    assert not closing.done()
    slow.go_on.set()
    await closing
    assert await jobs[0] == "A" and slow.done == ["a"]
    await hasher.close()
    with pytest.raises(OverloadedError):
        await hasher.hash("d")


async def test_failure_of_a_hash_reaches_its_caller_and_frees_its_place() -> None:
    def fails(_: str) -> str:
        raise MemoryError

    hasher = QueuedPasswordHasher(1, make=fails)
    for _ in range(3):
        with pytest.raises(MemoryError):
            await hasher.hash("a")
    await hasher.close()
