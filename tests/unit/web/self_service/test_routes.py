from typing import Any

import pytest


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/llama", "/v1/key", "/v1/usage/req_0000000000000"])
async def test_self_service_page_without_a_valid_key_is_refused(place: Any, path: str) -> None:
    for key in (None, "unknown"):
        assert (await place.ask("GET", path, key=key))[0] == 401
