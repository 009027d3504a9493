from __future__ import annotations

from softix_proxy.dialects.core.spoken import ENVELOPES, STREAMS_BY_PATH, TRANSLATED
from softix_proxy.dialects.registry import ENDPOINTS, PROVIDER_ENDPOINTS
from softix_proxy.dialects.translate.dialect_table import DIALECTS, PROVIDERS


def test_dialect_names_are_names_of_endpoints() -> None:
    assert {"chat_completions", "responses", "messages"} <= DIALECTS.keys() & ENDPOINTS.keys()
    assert DIALECTS.keys() <= PROVIDERS.keys() <= PROVIDER_ENDPOINTS.keys()
    assert set(STREAMS_BY_PATH.values()) <= PROVIDERS.keys()
    assert STREAMS_BY_PATH.keys() <= PROVIDER_ENDPOINTS.keys()


def test_translated_dialects_and_envelopes_match_the_dialect_table() -> None:
    assert tuple(PROVIDERS) == TRANSLATED
    assert {name for name, side in PROVIDERS.items() if side.envelope is not None} == ENVELOPES
