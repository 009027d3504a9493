import pytest

from softix_proxy.domain.catalog.models import DEFAULT_CONTEXT_TOKENS, DEFAULT_MAX_OUTPUT_TOKENS, NAME, ModelStatus


def test_model_defaults_are_large_enough_for_any_model() -> None:
    """Of a model that nothing is known of, the hold must cover whatever it does."""
    assert DEFAULT_CONTEXT_TOKENS >= 1_000_000 and DEFAULT_MAX_OUTPUT_TOKENS >= 100_000
    assert {status.value for status in ModelStatus} == {"active", "disabled"}


@pytest.mark.parametrize(
    "name", ["gpt-5", "@cf/meta/llama-3", "~anthropic/claude", "_mine", "ft:gpt-4o:org::id", "x" * 128]
)
def test_model_name_with_beginning_that_providers_use_matches(name: str) -> None:
    assert NAME.fullmatch(name)


@pytest.mark.parametrize("name", ["", "-o", "/x", ":x", ".x", "+x", "a b", "möve", "a\n", "=x", "a#b", "x" * 129])
def test_model_name_like_option_path_or_formula_does_not_match(name: str) -> None:
    assert not NAME.fullmatch(name)
