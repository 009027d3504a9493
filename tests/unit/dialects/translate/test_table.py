from __future__ import annotations

from softix_proxy.dialects.registry import ENDPOINTS, PROVIDER_ENDPOINTS
from softix_proxy.dialects.translate.table import DIALECTS, PROVIDERS, STREAMS_BY_PATH


def test_dialects_are_named_after_their_endpoints() -> None:
    assert {"chat_completions", "responses", "messages"} <= DIALECTS.keys() & ENDPOINTS.keys()
    assert DIALECTS.keys() <= PROVIDERS.keys() <= PROVIDER_ENDPOINTS.keys()
    assert set(STREAMS_BY_PATH.values()) <= PROVIDERS.keys()
    assert STREAMS_BY_PATH.keys() <= PROVIDER_ENDPOINTS.keys()
