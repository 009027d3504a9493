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
def test_search_units(documents: list[str], most: int, typical: int) -> None:
    found = ask(documents)
    assert found.calls["search_units"] == most and found.typical["search_units"] == typical


def test_documents_are_a_list() -> None:
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
def test_a_strange_answer_does_not_become_money(body: bytes) -> None:
    assert RERANK.report(body) is None
