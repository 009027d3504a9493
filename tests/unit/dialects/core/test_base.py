from __future__ import annotations

import pytest

from softix_proxy.dialects.core.base import MODEL_NAME, RequestSpec


@pytest.mark.parametrize(
    "name", ["gpt-4o-mini", "meta-llama/Llama-3.1-8B@fp8", "ft:gpt-4o:org::id", "a+b", "~anthropic/claude"]
)
def test_model_name_with_allowed_characters_is_accepted(name: str) -> None:
    assert MODEL_NAME.fullmatch(name)


@pytest.mark.parametrize("name", ["", "x" * 129, "a b", "möve", "a\n", "=cmd()", "<script>"])
def test_model_name_with_forbidden_characters_is_not_accepted(name: str) -> None:
    assert not MODEL_NAME.fullmatch(name)


def test_request_spec_without_options_has_plain_defaults() -> None:
    spec = RequestSpec("m")
    assert (spec.stream, spec.max_output_tokens, spec.choices, spec.service_tier) == (False, None, 1, "standard")
    assert spec.wants_usage and not spec.open_input and not spec.calls


def test_request_spec_with_hosted_tools_loses_them_in_translation() -> None:
    spec = RequestSpec("m", calls={"web_search_calls": 10})
    assert spec.bills == ("input_tokens", "output_tokens", "web_search_calls")
    found = spec.translated("messages")
    assert found == RequestSpec("m") and found.bills == ("input_tokens", "output_tokens")


def test_request_spec_bills_the_fees_that_the_answer_does_not_report() -> None:
    spec = RequestSpec("m", fees=("requests",))
    assert spec.bills == ("input_tokens", "output_tokens", "requests")
    assert spec.translated("messages") == RequestSpec("m")


@pytest.mark.parametrize(
    ("endpoint", "tier", "found"),
    [
        ("messages", "priority", "standard"),
        ("invoke", "flex", "standard"),
        ("generate_content", "priority", "priority"),
        ("generate_content", "fast", "standard"),
        ("converse", "flex", "flex"),
        ("responses", "fast", "fast"),
        ("chat_completions", "unknown", "unknown"),
    ],
)
def test_request_spec_in_translation_has_only_tiers_that_the_dialect_has(endpoint: str, tier: str, found: str) -> None:
    assert RequestSpec("m", service_tier=tier).translated(endpoint).service_tier == found
