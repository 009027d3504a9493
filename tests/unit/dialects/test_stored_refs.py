"""Only answers of endpoints that keep something are read once more."""

from __future__ import annotations

import json

import pytest

from softix_proxy.dialects.stored_refs import stored_refs_in
from softix_proxy.domain.access.objects import ObjectRef

ALL = frozenset(("response", "item", "completion", "audio", "container", "message"))


def test_answer_of_an_endpoint_that_keeps_nothing_is_not_read() -> None:
    assert stored_refs_in("embeddings", b'{"id":"e"}', ALL) == ()


@pytest.mark.parametrize(
    ("endpoint", "answer", "kinds"),
    [
        ("responses", {"id": "r"}, ["response"]),
        ("chat_completions", {"id": "c", "choices": []}, ["completion"]),
        ("messages", {"id": "m", "container": {"id": "c"}}, ["message", "container"]),
    ],
)
def test_answer_tells_what_is_kept_of_it(endpoint: str, answer: object, kinds: list[str]) -> None:
    assert [ref.kind for ref in stored_refs_in(endpoint, json.dumps(answer).encode(), ALL)] == kinds


def test_message_without_a_container_is_read_only_if_it_is_held() -> None:
    answer = b'{"id":"m","content":[]}'
    assert stored_refs_in("messages", answer, frozenset(("container",))) == ()
    assert stored_refs_in("messages", answer, frozenset(("container", "message"))) == (ObjectRef("message", "m"),)
