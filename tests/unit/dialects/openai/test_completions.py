from __future__ import annotations

import json
from typing import Any

import pytest

from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.core.errors import Code, RefusedError

COMPLETIONS = ENDPOINTS["completions"]


def read(**fields: Any) -> Any:
    return COMPLETIONS.read(json.dumps({"model": "m", **fields}).encode())


@pytest.mark.parametrize(
    ("prompt", "prompts"),
    [
        ("a", 1),
        (None, 1),
        ([], 1),
        (["a", "b"], 2),
        ([1, 2, 3], 1),
        ([[1, 2], [3]], 2),
        (["a", 1], 2),
        ([True, False], 2),
    ],
)
def test_request_with_several_prompts_has_a_choice_for_each(prompt: Any, prompts: int) -> None:
    assert read(prompt=prompt).choices == prompts
    assert read(prompt=prompt, n=2, best_of=3).choices == 3 * prompts


@pytest.mark.parametrize("prompt", [5, {"a": 1}, True])
def test_request_with_a_bad_prompt_is_refused(prompt: Any) -> None:
    with pytest.raises(RefusedError) as refused:
        read(prompt=prompt)
    assert refused.value.code is Code.INVALID_REQUEST


def test_request_with_embedded_prompts_has_open_input() -> None:
    assert read(prompt="a", prompt_embeds=["AAAA"]).open_input and not read(prompt="a").open_input


def test_rewrite_with_an_output_limit_sets_max_tokens() -> None:
    body = COMPLETIONS.rewrite(b'{"model":"m"}', model=None, max_output_tokens=3, ask_usage=True)
    assert json.loads(body) == {"model": "m", "max_tokens": 3, "stream_options": {"include_usage": True}}


def test_request_with_a_heavy_prompt_list_is_refused() -> None:
    """A text may be as large as any, and so may a few. A list of as many bytes may be millions of prompts."""
    assert read(prompt="a" * 5_000_000).choices == 1
    assert read(prompt=["a" * 5_000_000, "b"]).choices == 2
    for prompt in ([[]] * 60_000 + ["a"], ["{}"] * 2_000_000):
        with pytest.raises(RefusedError, match="too large a list"):
            read(prompt=prompt)
