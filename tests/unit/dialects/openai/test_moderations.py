"""Answers are in tests/golden."""

from __future__ import annotations

import json

import pytest

from softix_proxy.dialects.openai.moderations import DEFAULT_MODEL
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.core.errors import RefusedError

MODERATIONS = ENDPOINTS["moderations"]


def test_moderation_model_when_missing_is_the_default_and_can_be_rewritten() -> None:
    body = b'{"input":"a"}'
    assert MODERATIONS.read(body).model == DEFAULT_MODEL
    changed = MODERATIONS.rewrite(body, model="theirs", max_output_tokens=None, ask_usage=False)
    assert json.loads(changed) == {"input": "a", "model": "theirs"}


def test_moderation_request_with_bad_fields_is_refused() -> None:
    for body in (b'{"model":5}', b"[]", b'{"model":"a","models":["b"]}'):
        with pytest.raises(RefusedError):
            MODERATIONS.read(body)
