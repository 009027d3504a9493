from __future__ import annotations

from collections.abc import AsyncIterator

from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.relay.core.inbound import Inbound


class Rest:
    size_bytes = 7

    async def chunks(self) -> AsyncIterator[bytes]:
        yield b"at once"


async def nothing() -> bytes:
    return b""


def test_inbound_request_with_unread_body_reports_its_size_and_hides_the_credential() -> None:
    endpoint = ENDPOINTS["transcriptions"]
    asked = (5, "req_5", endpoint, endpoint.path, [], "secret", "10.1.2.3", 0, 0, nothing)
    assert Inbound(*asked).rest_bytes == 0
    assert Inbound(*asked, rest=Rest()).rest_bytes == 7
    assert "secret" not in repr(Inbound(*asked))
