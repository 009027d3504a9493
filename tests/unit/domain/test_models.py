from softix_proxy.domain.models import DEFAULT_CONTEXT_TOKENS, DEFAULT_MAX_OUTPUT_TOKENS, ModelStatus


def test_defaults_are_on_the_safe_side() -> None:
    """Of a model that nothing is known of, the hold must cover whatever it does."""
    assert DEFAULT_CONTEXT_TOKENS >= 1_000_000 and DEFAULT_MAX_OUTPUT_TOKENS >= 100_000
    assert {status.value for status in ModelStatus} == {"active", "disabled"}
