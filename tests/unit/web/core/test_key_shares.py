from __future__ import annotations

import asyncio
from typing import Any

import pytest
from support.playbook import Exchange

from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.instance.sections import ServerSection
from softix_proxy.web.core.key_shares import KeyShares

ASK = b'{"model":"llama","messages":[]}'


def test_key_shares_refuse_what_is_above_the_share_of_one_key() -> None:
    shares = KeyShares(2)
    for _ in range(2):
        shares.check("ada")
        shares.enter("ada")
    with pytest.raises(RefusedError) as refused:
        shares.check("ada")
    assert (refused.value.code, refused.value.retry_after_s) == (Code.CONCURRENCY_LIMITED, 1)
    shares.check("bob")
    shares.check(None)
    shares.leave("ada")
    shares.check("ada")
    shares.leave("ada")
    assert not shares._counts, "nothing is kept of a key without requests"


@pytest.mark.parametrize(("wanted", "share"), [(0, 28), (5, 5), (100, 32)])
def test_share_of_one_key_is_what_the_operator_wants_or_most_of_all(wanted: int, share: int) -> None:
    section = ServerSection(max_connections=32, max_requests_per_key=wanted)
    assert KeyShares.of(section).most == share
    shares = KeyShares(1)
    shares.take(section)
    assert shares.most == share


async def test_key_above_its_share_gets_429_and_others_are_served(place: Any) -> None:
    place.context.key_shares.most = 1
    reached, go_on = asyncio.Event(), asyncio.Event()

    class Slow(Exchange):
        async def chunk(self) -> bytes:
            reached.set()
            await go_on.wait()
            return await super().chunk()

    place.upstream.answer = Slow(b"{}")
    running = asyncio.create_task(place.ask("POST", "/v1/chat/completions", data=ASK))
    await reached.wait()
    status, headers, body = await place.ask("POST", "/v1/chat/completions", data=ASK)
    assert (status, headers["retry-after"], body["error"]["code"]) == (429, "1", "concurrency_limited")
    status, _, body = await place.ask("POST", "/v1/chat/completions", key="bob", data=b"{")
    assert status == 400, body
    go_on.set()
    assert (await running)[0] == 200
    assert not place.context.key_shares._counts
