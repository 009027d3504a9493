"""What a rule does to a key in one process is in force for the very next request in another, and can be undone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.daemon import Prepared, prepared
from support.provider import FakeProvider

from softix_proxy.domain.abuse.abuse_tally import AbuseTally
from softix_proxy.domain.access.roles import OperatorRoles
from softix_proxy.domain.accounts.principals import NOBODY
from softix_proxy.operations.abuse.actions import THROTTLED_RPM
from softix_proxy.operations.abuse.evaluation import AbuseWatch
from softix_proxy.operations.access import keys
from softix_proxy.operations.access.door import Door

ASK = {"model": "gpt-test", "max_tokens": 100, "messages": [{"role": "user", "content": "Still there?"}]}
OK = (200, None)


@pytest.fixture
async def client(tmp_path: Path, fake_provider: FakeProvider) -> AsyncIterator[Prepared]:
    made = await prepared(tmp_path, fake_provider.base_url)
    async with made.instance.serving():
        yield made


async def ask(client: Prepared) -> tuple[int, Any]:
    url = f"{client.openai_url}/chat/completions"
    async with aiohttp.ClientSession() as session, session.post(url, json=ASK, headers=client.headers) as answer:
        return answer.status, (await answer.json()).get("error", {}).get("code")


async def have_a_rule_act(client: Prepared, action: str) -> str:
    """Looks for abuse in this process, and not in the daemon. Returns the id of the alert."""
    client.instance.cli("abuse", "tune", "refusals", "--action", action)
    async with client.instance.opened() as opened:
        key = await keys.find(opened.storage.reading(), client.key_id)
        tally = AbuseTally()
        for _ in range(300):
            tally.refused(key.id)
        storage = Door(opened.storage, NOBODY).recorded("abuse.watch")
        assert await AbuseWatch(storage, OperatorRoles(), tally).look() == 1
    [alert] = client.instance.cli("abuse", "list", "--open")
    return str(alert["id"])


async def test_suspended_key_is_refused_at_once_and_works_after_an_undo(client: Prepared) -> None:
    assert await ask(client) == OK
    alert = await have_a_rule_act(client, "suspend")
    assert await ask(client) == (401, "key_revoked")
    client.instance.cli("abuse", "undo", alert, "--yes")
    assert await ask(client) == OK


async def test_throttled_key_is_slow_at_once_and_fast_after_an_undo(client: Prepared) -> None:
    assert await ask(client) == OK
    alert = await have_a_rule_act(client, "throttle")
    answers = [await ask(client) for _ in range(THROTTLED_RPM + 1)]
    assert answers == [OK] * THROTTLED_RPM + [(429, "rate_limited")]
    client.instance.cli("abuse", "undo", alert, "--yes")
    assert await ask(client) == OK
