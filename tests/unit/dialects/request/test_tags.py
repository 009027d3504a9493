"""Which members are words of the client's own."""

from __future__ import annotations

import json

import pytest

from softix_proxy.dialects.core.request_headers import COMMON, FAMILIES
from softix_proxy.dialects.request.fields import JsonMembers
from softix_proxy.dialects.request.tags import HEADERS, WATCHED, read_tags
from softix_proxy.domain.core.errors import RefusedError


def read(**body: object) -> tuple[tuple[str, str], ...]:
    return read_tags(JsonMembers(json.dumps(body).encode(), WATCHED))


def test_words_of_a_request_are_read_with_their_members() -> None:
    assert read(user="u", prompt_cache_key="k", background_options={"continuation_id": "c"}) == (
        ("prompt_cache_key", "k"),
        ("user", "u"),
        ("background_options.continuation_id", "c"),
    )


def test_request_without_words_has_no_tags() -> None:
    assert read(input="x") == read(user=None, prompt_cache_key="", background_options={}) == ()


def test_word_that_is_no_text_is_refused() -> None:
    with pytest.raises(RefusedError, match="`user`"):
        read(user=7)


def test_headers_with_words_are_among_those_that_pass() -> None:
    assert {*COMMON, *FAMILIES["openai"]} >= HEADERS
