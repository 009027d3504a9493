from __future__ import annotations

import pytest
from support.books import StoppedClock
from support.people import HOME, People
from support.principals import ALL

from softix_proxy.domain.access.roles import OperatorRoles
from softix_proxy.domain.accounts.audit import Channel
from softix_proxy.domain.core.errors import Code, NotPermittedError, RefusedError
from softix_proxy.operations.access import tokens
from softix_proxy.operations.access.door import Door
from softix_proxy.operations.admin_api import token_guesses
from softix_proxy.storage.sqlite.unit import SqliteStorage

ELSEWHERE = "198.51.100.7"


@pytest.fixture
def people(books: SqliteStorage, stopped_clock: StoppedClock) -> People:
    return People(books, stopped_clock)


async def opened(people: People, text: str, address: str = HOME) -> Door:
    return await token_guesses.door(people.storage, people.vault, text, address, Channel.API, OperatorRoles())


async def test_guesses_slow_down_their_network_and_no_other(people: People) -> None:
    text = (await tokens.create(people.storage, people.vault, "admin", ALL)).text
    for _ in range(token_guesses.WRONG_TOKENS.burst):
        assert (await opened(people, text)).principal.permissions
        with pytest.raises(NotPermittedError):
            await opened(people, "sx_admin_guess")
    for asked in (text, "sx_admin_guess"):
        with pytest.raises(RefusedError) as refused:
            await opened(people, asked)
        assert refused.value.code is Code.RATE_LIMITED and refused.value.retry_after_s == 60
    assert (await opened(people, text, ELSEWHERE)).principal.permissions
