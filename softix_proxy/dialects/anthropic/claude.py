"""Writes the settings that Anthropic's models expect at any provider."""

from __future__ import annotations

import re

from softix_proxy.dialects.canonical.json_values import Object
from softix_proxy.dialects.canonical.losses import Losses
from softix_proxy.dialects.canonical.types import CanonicalRequest, Number

DEFAULT_OUTPUT_TOKENS = 8192
ANY_OBJECT = "Answer with one JSON object and nothing else."

_VERSION = re.compile(r"claude-(?:[a-z]+-)?(\d+)(?:[-.](\d{1,2})(?!\d))?")
_ADAPTIVE_FROM = (4, 6)
_LEAST_BUDGET = 1024
_BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16_384, "xhigh": 32_768, "max": 32_768}
_EFFORTS = {"minimal": "low"}


def temperature_of(temperature: Number, thinking: Object | None, losses: Losses) -> Number:
    if temperature is None:
        return None
    if thinking and thinking["type"] != "disabled" and temperature != 1:
        losses.meet("temperature_with_thinking")
        return None
    if temperature > 1:
        losses.meet("temperature")
        return 1
    return temperature


def thinking_of(request: CanonicalRequest, model: str, limit: int, losses: Losses) -> tuple[Object | None, str]:
    """Returns the thinking settings and the word for the effort.

    A model that knows such words gets a word. Any other model gets a number of tokens, which must fit into the output
    limit.
    """
    reasoning = request.reasoning
    if reasoning is None:
        return None, ""
    if reasoning.on is False:
        return {"type": "disabled"}, ""
    effort = _EFFORTS.get(reasoning.effort, reasoning.effort)
    if reasoning.on is None:
        return None, effort
    if request.tools and request.tool_choice is not None and request.tool_choice.mode == "required":
        losses.meet("forced_tool_with_thinking")
        return None, ""
    if reasoning.budget is None and _is_adaptive(model):
        return {"type": "adaptive", **({"display": "summarized"} if reasoning.shown else {})}, effort
    budget = reasoning.budget
    if budget is None:
        losses.meet("reasoning_effort")
        budget = _BUDGETS.get(reasoning.effort, _BUDGETS["medium"])
    if limit <= _LEAST_BUDGET:
        losses.meet("thinking_without_room")
        return None, ""
    fitting = max(_LEAST_BUDGET, min(budget, limit * 4 // 5 if budget >= limit else budget))
    return {"type": "enabled", "budget_tokens": fitting}, ""


def _is_adaptive(model: str) -> bool:
    """Returns whether the model has adaptive thinking, as models since Claude 4.6 do.

    A name without a version counts as new.
    """
    match = _VERSION.search(model)
    return match is None or (int(match[1]), int(match[2] or 0)) >= _ADAPTIVE_FROM
