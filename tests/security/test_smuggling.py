"""Requests that two servers may read in two ways, on raw sockets: nothing that hides in one of them is ever served."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pytest
from support.daemon import Prepared
from support.framings import KEY, MARK, RIGHT, SMUGGLED, Framing, wrong
from support.front_proxy import NGINX, connect_to, front_proxy
from support.provider import FakeProvider
from support.tenants import tenant
from support.wire import connect

STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
WRONG = list(wrong())
AT_ONCE = 24
TIMEOUT_S = 20
"""A server that waits for more than was sent gives up after half a second."""


class Outcome(NamedTuple):
    statuses: list[int]
    """Of each answer on one connection, until the server closed it."""
    said: bytes
    forwarded: int
    """How many requests the provider got."""


def rows(framings: Iterable[Framing]) -> list[object]:
    return [pytest.param(row, id=row.name) for row in framings]


async def answers(to: Prepared, framing: Framing) -> bytes:
    reader, writer = await connect(to)
    mark = framing.name.encode().hex()[:200].encode()
    writer.write((framing.sent + SMUGGLED).replace(KEY, to.key.encode()).replace(MARK, mark))
    said = b""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            while piece := await reader.read(65_536):
                said += piece
    except ConnectionResetError:
        pass
    finally:
        writer.close()
    return said


async def all_answers(to: Prepared, provider: FakeProvider, framings: list[Framing]) -> Mapping[str, Outcome]:
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(framing: Framing) -> bytes:
        async with limit:
            return await answers(to, framing)

    await provider.reset()
    said = await asyncio.gather(*map(one, framings))
    marks = [dict(record["headers"]).get("x-request-id", "") for record in await provider.requests()]
    assert set(marks) <= {framing.name.encode().hex()[:200] for framing in framings}
    return {
        framing.name: Outcome(
            [int(status) for status in STATUS.findall(text)], text, marks.count(framing.name.encode().hex()[:200])
        )
        for framing, text in zip(framings, said, strict=True)
    }


@pytest.fixture(scope="module")
def outcomes(attacker: Prepared, shared_provider: FakeProvider) -> Mapping[str, Outcome]:
    """By the framing's name. All are sent at the same time: most of the time is spent on waiting for the server."""
    return asyncio.run(all_answers(attacker, shared_provider, [*RIGHT, *WRONG, Framing("nothing", b"")]))


@pytest.mark.parametrize("framing", rows(RIGHT))
def test_request_that_is_framed_rightly_is_served_and_so_is_the_next_one(
    framing: Framing, attacker: Prepared, outcomes: Mapping[str, Outcome]
) -> None:
    found = outcomes[framing.name]
    assert (found.statuses, found.forwarded) == ([200, 200], 1), found.said
    assert attacker.key_id.encode() in found.said


@pytest.mark.parametrize("framing", rows(WRONG))
def test_request_that_is_framed_ambiguously_is_refused_with_its_connection(
    framing: Framing, attacker: Prepared, outcomes: Mapping[str, Outcome]
) -> None:
    """At most one answer, an error, and the server closes: what follows is never read as a request."""
    found = outcomes[framing.name]
    assert len(found.statuses) <= 1 and all(400 <= status < 500 for status in found.statuses), found.said
    assert attacker.key_id.encode() not in found.said
    assert found.forwarded == 0


def test_smuggled_request_alone_would_be_served(attacker: Prepared, outcomes: Mapping[str, Outcome]) -> None:
    """The checks above can fail."""
    found = outcomes["nothing"]
    assert found.statuses == [200] and attacker.key_id.encode() in found.said


def test_framings_have_names_of_their_own() -> None:
    names = [row.name for row in (*RIGHT, *WRONG)]
    assert len(names) == len(set(names)) > 163


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed here")
async def test_framing_behind_a_proxy_never_gives_another_client_the_answer(guarded: Prepared) -> None:
    """nginx repairs or refuses each framing in its own way, and keeps its connection to softix.

    After each one, somebody else asks through the same connection and gets what is his.
    """
    attacker, victim = await tenant(guarded), await tenant(guarded)
    hers = SMUGGLED.replace(KEY, victim.key.encode())
    with front_proxy(guarded.url) as socket:
        for framing in (*RIGHT, *WRONG):
            _, writer = await connect_to(socket)
            writer.write((framing.sent + SMUGGLED).replace(KEY, attacker.key.encode()).replace(MARK, b"x"))
            other, asking = await connect_to(socket)
            asking.write(hers)
            async with asyncio.timeout(TIMEOUT_S):
                answer = await other.read()
            writer.transport.abort()
            asking.close()
            if victim.key_id.encode() not in answer or attacker.key_id.encode() in answer:
                pytest.fail(f"{framing.name}: {answer!r}")
