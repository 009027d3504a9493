"""A real daemon takes no admin token for inference, and no command takes an API key for a token."""

from __future__ import annotations

from pathlib import Path

import aiohttp
from support.daemon import prepared

NOWHERE = "http://127.0.0.1:9"
"""A provider that is never asked."""


async def test_admin_token_is_refused_as_a_key_and_a_key_as_a_token(tmp_path: Path) -> None:
    house = await prepared(tmp_path, NOWHERE)
    token = house.instance.cli("tokens", "create", "--role", "owner-operator", "--expires", "1h")["token"]
    body = {"model": "gpt-test", "messages": [{"role": "user", "content": "Hello!"}]}
    async with house.instance.serving(), aiohttp.ClientSession() as session:
        for headers in ({"Authorization": f"Bearer {token}"}, {"x-api-key": token}):
            async with session.post(f"{house.openai_url}/chat/completions", json=body, headers=headers) as answer:
                text = await answer.text()
                assert answer.status == 401 and token not in text
        refused = house.instance.run("users", "list", SOFTIX_TOKEN=house.key)
        assert refused.code == 1 and "no admin token of this instance" in refused.stderr
        assert house.key not in refused.stderr
        assert house.instance.run("users", "list", SOFTIX_TOKEN=token).code == 0
    assert house.usage() == []
    assert token not in house.instance.log_text() and house.key not in house.instance.log_text()
