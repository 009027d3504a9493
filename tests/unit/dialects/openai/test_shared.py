from __future__ import annotations

import json
from typing import Any

import pytest

from softix_proxy.dialects.openai.shared import wants_usage
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.dialects.request.fields import JsonMembers
from softix_proxy.domain.core.errors import RefusedError

CHAT = ENDPOINTS["chat_completions"]


def rewritten(body: Any, **changes: Any) -> Any:
    wanted = {"model": None, "max_output_tokens": None, "ask_usage": False} | changes
    return json.loads(CHAT.rewrite(json.dumps(body).encode(), **wanted))


def test_rewrite_without_changes_returns_the_same_object() -> None:
    body = b'{"model":"m"}'
    assert CHAT.rewrite(body, model=None, max_output_tokens=None, ask_usage=False) is body


def test_rewrite_with_another_model_changes_only_the_outer_one() -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": '"model":"m"', "model": "m"}]}
    assert rewritten(body, model='up/"stream') == body | {"model": 'up/"stream'}


def test_rewrite_with_an_output_limit_sets_each_field_that_is_present() -> None:
    body = {"model": "m", "max_tokens": 5, "max_completion_tokens": None}
    assert rewritten(body, max_output_tokens=3) == {"model": "m", "max_tokens": 3, "max_completion_tokens": 3}


def test_rewrite_with_an_output_limit_uses_the_default_or_the_given_field() -> None:
    assert rewritten({"model": "m"}, max_output_tokens=3) == {"model": "m", "max_completion_tokens": 3}
    given = rewritten({"model": "m"}, max_output_tokens=3, output_fields=("max_tokens", "n_predict"))
    assert given == {"model": "m", "max_tokens": 3, "n_predict": 3}
    body = ENDPOINTS["responses"].rewrite(b'{"model":"m"}', model=None, max_output_tokens=3, ask_usage=True)
    assert json.loads(body) == {"model": "m", "max_output_tokens": 3}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (None, {"include_usage": True}),
        ({}, {"include_usage": True}),
        ({"include_usage": False}, {"include_usage": True}),
        ({"include_usage": None, "x": [1]}, {"include_usage": True, "x": [1]}),
        ({"include_obfuscation": False}, {"include_obfuscation": False, "include_usage": True}),
    ],
)
def test_rewrite_with_usage_wanted_sets_include_usage(options: Any, expected: Any) -> None:
    body = {"model": "m", "stream": True}
    assert rewritten(body, ask_usage=True) == body | {"stream_options": {"include_usage": True}}
    body["stream_options"] = options
    assert rewritten(body, ask_usage=True) == body | {"stream_options": expected}


@pytest.mark.parametrize(
    ("options", "wanted"), [(b"null", False), (b"{}", False), (b'{"include_usage":true}', True), (b"[]", False)]
)
def test_wants_usage_with_each_option_is_read(options: bytes, wanted: bool) -> None:
    assert wants_usage(JsonMembers(b'{"stream_options":%s}' % options, frozenset(("stream_options",)))) is wanted


@pytest.mark.parametrize(
    "options", [b'"wombat"', b"[1]", b'{"include_usage":1}', b'{"include_usage":false,"include_usage":true}']
)
def test_request_with_bad_stream_options_is_refused(options: bytes) -> None:
    with pytest.raises(RefusedError, match=r"usage|stream_options") as refused:
        CHAT.read(b'{"model":"m","stream":true,"stream_options":%s}' % options)
    assert "wombat" not in str(refused.value)
