"""Whoever tries keys is slowed down, and a valid key from the same address is not."""

from __future__ import annotations

import asyncio

import pytest
from support.playbook import KEY, WORLD, Directories, Stage

from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.routing.directory import Changes
from softix_proxy.relay.request.lifecycle import Lifecycle

HOME = "192.0.2.1"


async def refused(lifecycle: Lifecycle, credential: str | None, address: str = HOME) -> RefusedError:
    with pytest.raises(RefusedError) as failure:
        await lifecycle.identify(credential, address)
    return failure.value


async def test_ten_thousand_invalid_keys_read_the_database_a_bounded_number_of_times() -> None:
    stage = Stage()
    lifecycle = stage.lifecycle
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    codes = [(await refused(lifecycle, f"sx_live_{number}")).code for number in range(10_000)]
    took_s = loop.time() - began_s
    assert set(codes[:30]) == {Code.INVALID_API_KEY} and codes.count(Code.INVALID_API_KEY) < 60
    assert set(codes[100:]) >= {Code.RATE_LIMITED}
    assert stage.directories.reads <= 2 + took_s / 0.05 + took_s


@pytest.mark.parametrize("credential", ["malformed", "sx_live_unknown"])
async def test_address_with_too_many_invalid_keys_is_told_when_to_come_back(credential: str) -> None:
    lifecycle = Stage().lifecycle
    for _ in range(30):
        lifecycle.guesses.failed(HOME, 0)
    error = await refused(lifecycle, credential)
    assert error.code is Code.RATE_LIMITED and error.retry_after_s is not None and 0 < error.retry_after_s <= 2
    assert (await refused(lifecycle, credential, "192.0.2.2")).code is Code.INVALID_API_KEY
    assert (await refused(lifecycle, None)).code is Code.INVALID_API_KEY, "no key is no guess"


async def test_valid_key_from_an_address_that_is_slowed_down_goes_on_working() -> None:
    lifecycle = Stage().lifecycle
    await lifecycle.directory.refresh()
    for _ in range(1000):
        lifecycle.guesses.failed(HOME, 0)
    for _ in range(3):
        assert (await lifecycle.identify("good", HOME)).key == KEY
        await refused(lifecycle, "bad")


async def test_key_that_was_just_made_works_from_an_address_that_is_slowed_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = Stage()
    lifecycle = stage.lifecycle
    stage.directories.versions = [Changes(6, **{**WORLD, "keys": ()}), Changes(7, **WORLD)]
    await lifecycle.directory.refresh()
    for _ in range(1000):
        lifecycle.guesses.failed(HOME, 0)
    assert (await refused(lifecycle, "good")).code is Code.RATE_LIMITED, "it was read a moment ago"
    monkeypatch.setattr(lifecycle.directory, "was_read_within", lambda age_s: False)
    assert (await lifecycle.identify("good", HOME)).key == KEY


async def test_key_that_was_just_made_works_at_once_from_any_other_address() -> None:
    stage = Stage()
    lifecycle = stage.lifecycle
    stage.directories.versions = [Changes(6, **{**WORLD, "keys": ()}), Changes(7, **WORLD)]
    await lifecycle.directory.refresh()
    assert (await lifecycle.identify("good", HOME)).key == KEY
    assert isinstance(stage.directories, Directories) and stage.directories.reads == 3


async def test_guesses_and_uses_are_noted_apart() -> None:
    lifecycle = Stage().lifecycle
    lifecycle.guesses.per_minute = 2
    await lifecycle.directory.refresh()
    for number in range(5):
        await refused(lifecycle, f"sx_live_{number}")
    await refused(lifecycle, None)
    await lifecycle.enter("good", HOME, "curl/8.1", "TLSv1.3")
    await lifecycle.identify("good", HOME)
    [use], [guess] = lifecycle.seen.take()
    assert (use.key_id, use.address, use.user_agent, use.tls, use.requests) == (KEY.id, HOME, "curl/8.1", "TLSv1.3", 1)
    assert (guess.network, guess.failed, guess.slowed) == (HOME, 2, 3)
    assert (lifecycle.seen.tally.failed_keys, lifecycle.seen.tally.slowed_keys) == (2, 3)
