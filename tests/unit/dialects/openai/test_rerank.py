"""Answers are in tests/golden; here is how many search units a request may need."""

from __future__ import annotations

import json
from typing import Any

import pytest

from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.core.errors import RefusedError

RERANK = ENDPOINTS["rerank"]


def ask(documents: Any) -> Any:
    return RERANK.read(json.dumps({"model": "m", "query": "q", "documents": documents}).encode())


@pytest.mark.parametrize(
    ("documents", "most", "typical"),
    [(["a"], 1, 1), (["a"] * 100, 2, 1), (["a" * 60_000], 3, 1), (["a"] * 1000, 11, 10), ([], 1, 1)],
)
def test_rerank_request_with_any_documents_counts_its_search_units(
    documents: list[str], most: int, typical: int
) -> None:
    found = ask(documents)
    assert found.calls["search_units"] == most and found.typical["search_units"] == typical


def test_rerank_request_without_a_document_list_is_refused() -> None:
    with pytest.raises(RefusedError):
        ask({"a": 1})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"meta":5}',
        b'{"meta":{"billed_units":{"search_units":1.5}}}',
        b'{"usage":{"total_tokens":-1}}',
    ],
)
def test_rerank_report_with_odd_usage_is_none(body: bytes) -> None:
    assert RERANK.report(body) is None
