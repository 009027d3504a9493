from __future__ import annotations

import asyncio
import gc
import json

import pytest

from softix_proxy.dialects.request.fields import SCANNED_BYTES, JsonMembers
from softix_proxy.dialects.request.scan import scanned
from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.relay.request.large_body import scan

LARGE = json.dumps({"model": "m", "input": [0] * SCANNED_BYTES}).encode()


async def test_scan_of_a_small_body_does_nothing() -> None:
    assert await scan(b"nonsense") is None


async def test_scan_of_a_large_body_serves_others_meanwhile_and_is_found_by_its_readers() -> None:
    scanning = asyncio.ensure_future(scan(LARGE))
    turns = 0
    while not scanning.done():
        await asyncio.sleep(0)
        turns += 1
    found = await scanning
    assert turns > 10 and scanned(LARGE) is found
    assert JsonMembers(LARGE, frozenset(("model",))).text("model") == "m"
    del found, scanning
    gc.collect()
    assert scanned(LARGE) is None


@pytest.mark.parametrize("body", [LARGE[:-1], LARGE + b"x", b'{"a":"' + b"\xff" * SCANNED_BYTES + b'"}'])
async def test_scan_of_a_large_body_that_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(RefusedError) as refused:
        await scan(body)
    assert refused.value.code is Code.INVALID_REQUEST
