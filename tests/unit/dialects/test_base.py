from __future__ import annotations

import pytest

from softix_proxy.dialects.base import MODEL_NAME, Ask


@pytest.mark.parametrize(
    "name", ["gpt-4o-mini", "meta-llama/Llama-3.1-8B@fp8", "ft:gpt-4o:org::id", "a+b", "~anthropic/claude"]
)
def test_what_may_be_kept_of_a_model_name(name: str) -> None:
    assert MODEL_NAME.fullmatch(name)


@pytest.mark.parametrize("name", ["", "x" * 129, "a b", "möve", "a\n", "=cmd()", "<script>"])
def test_what_may_not(name: str) -> None:
    assert not MODEL_NAME.fullmatch(name)


def test_an_ask_is_plain_by_default() -> None:
    ask = Ask("m")
    assert (ask.stream, ask.max_output_tokens, ask.choices, ask.service_tier) == (False, None, 1, "standard")
    assert ask.wants_usage and not ask.open_input and not ask.calls


def test_hosted_tools_stay_behind_in_translation() -> None:
    ask = Ask("m", calls={"web_search_calls": 10})
    assert ask.bills == ("input_tokens", "output_tokens", "web_search_calls")
    assert ask.translated() == Ask("m") and ask.translated().bills == ("input_tokens", "output_tokens")
