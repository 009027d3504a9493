from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.access.rights import ModelPatterns, model_patterns, provider_named_in

names = st.text("ab/-", min_size=1, max_size=6)
patterns = st.text("ab/-*?", min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("pattern", "provider", "model", "allowed"),
    [
        ("openai/*", "openai", "gpt-4o", True),
        ("openai/*", "openrouter", "openai/gpt-4o", False),
        ("openai/gpt-4o", "openrouter", "openai/gpt-4o", False),
        ("openai/gpt-4o", "openai", "gpt-4o", True),
        ("openrouter/openai/*", "openrouter", "openai/gpt-4o", True),
        ("openrouter/*", "openrouter", "openai/gpt-4o", True),
        ("openrouter/*", "openai", "gpt-4o", False),
        ("openrouter/auto", "openrouter", "openrouter/auto", True),
        ("*/meta-llama/*", "vllm", "meta-llama/Llama-3", True),
        ("*/meta-llama/*", "meta-llama", "Llama-3", False),
        ("meta-llama/*", "vllm", "meta-llama/Llama-3", False),
        ("*/gpt-*", "azure", "gpt-4o", True),
        ("open*/gpt-*", "openai", "gpt-4o", True),
        ("gpt-*", "anybody", "gpt-4o", True),
        ("openai*", "openai", "gpt-4o", False),
        ("*", "openrouter", "openai/gpt-4o", True),
    ],
)
def test_pattern_with_a_slash_stays_with_the_provider_before_it(
    pattern: str, provider: str, model: str, allowed: bool
) -> None:
    assert ModelPatterns((pattern,)).match(provider, model) is allowed


@given(patterns, names.filter(lambda name: "/" not in name), names)
def test_pattern_never_matches_more_than_the_text_of_one_of_the_names(pattern: str, provider: str, model: str) -> None:
    """The names were compared as texts before, so nobody gains a right."""
    if ModelPatterns((pattern,)).match(provider, model):
        assert fnmatchcase(model, pattern) or fnmatchcase(f"{provider}/{model}", pattern)


@given(patterns, st.sampled_from(["openai", "a"]), names)
def test_pattern_that_begins_with_a_provider_matches_no_model_elsewhere(rest: str, provider: str, model: str) -> None:
    assert not ModelPatterns((f"{provider}/{rest}",)).match("elsewhere", model)


@pytest.mark.parametrize(
    ("pattern", "route", "allowed"),
    [("best", "best", True), ("be*", "best", True), ("team/*", "team/fast", True), ("team*", "team/fast", True),
     ("*/fast", "team/fast", True), ("team/*", "best", False), ("*/best", "best", False)],
)  # fmt: skip
def test_pattern_matches_the_name_of_a_route(pattern: str, route: str, allowed: bool) -> None:
    assert ModelPatterns((pattern,)).match_route(route) is allowed


def test_patterns_of_one_key_are_compiled_once() -> None:
    assert model_patterns(("a", "b/*")) is model_patterns(("a", "b/*"))


def test_provider_named_in_a_name_is_the_part_before_the_first_slash() -> None:
    known = frozenset(("openai",))
    found = [
        provider_named_in(name, known) for name in ("openai/gpt-4o", "openai/a/b", "openai", "other/x", "/openai/")
    ]
    assert found == ["openai", "openai", "", "", ""]
