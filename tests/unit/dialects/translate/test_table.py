from __future__ import annotations

from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.dialects.translate.table import DIALECTS, STREAMS_BY_PATH


def test_dialects_are_named_after_their_endpoints() -> None:
    assert {"chat_completions", "responses", "messages"} <= DIALECTS.keys() & ENDPOINTS.keys()
    assert set(STREAMS_BY_PATH.values()) <= DIALECTS.keys()
