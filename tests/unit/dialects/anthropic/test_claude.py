from __future__ import annotations

from typing import Any

import pytest

from softix_proxy.dialects.anthropic.claude import temperature_of, thinking_of
from softix_proxy.dialects.canonical.losses import losses
from softix_proxy.dialects.canonical.types import CanonicalRequest, Reasoning


@pytest.mark.parametrize(
    ("model", "thinking"),
    [
        ("us.anthropic.claude-sonnet-4-6-v1:0", {"type": "adaptive"}),
        ("anthropic.claude-3-7-sonnet-20250219-v1:0", {"type": "enabled", "budget_tokens": 2048}),
        ("claude-opus-4@20250514", {"type": "enabled", "budget_tokens": 2048}),
    ],
)
def test_thinking_of_each_claude_version_is_known_by_the_names_of_every_cloud(
    model: str, thinking: dict[str, Any]
) -> None:
    _, lost = losses("chat_completions", "converse")
    asked = CanonicalRequest(model="m", turns=[], reasoning=Reasoning(True, "low"))
    assert thinking_of(asked, model, 10_000, lost)[0] == thinking


def test_temperature_out_of_range_or_with_thinking_is_clamped_or_dropped() -> None:
    _, lost = losses("chat_completions", "messages")
    assert temperature_of(None, None, lost) is None
    assert temperature_of(1.5, None, lost) == 1
    assert temperature_of(0.5, {"type": "adaptive"}, lost) is None
    assert list(lost.found) == ["temperature", "temperature_with_thinking"]
