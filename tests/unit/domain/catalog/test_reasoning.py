import pytest

from softix_proxy.domain.catalog.reasoning import never_reasons


@pytest.mark.parametrize(
    "name",
    [
        "gpt-3.5-turbo",
        "gpt-4",
        "gpt-4-turbo-2024-04-09",
        "gpt-4o-mini",
        "gpt-4.1-nano",
        "ft:gpt-4o-mini-2024-07-18:acme::abc",
        "gpt-5-chat-latest",
        "davinci-002",
        "claude-3-5-sonnet-20241022",
        "claude-opus-4-1-20250805",
        "llama",
        "meta-llama/Llama-3.3-70B-Instruct-Turbo",
        "llama3.2:3b",
        "command-r-plus",
        "grok-4-fast-non-reasoning",
        "gemini-2.0-flash",
    ],
)
def test_model_that_is_known_to_show_everything_never_reasons(name: str) -> None:
    assert never_reasons(name)


@pytest.mark.parametrize(
    "name",
    [
        "o1",
        "o3-mini",
        "o4-mini-deep-research",
        "gpt-5",
        "gpt-5.1",
        "gpt-5-mini",
        "gpt-41",
        "gpt-4o-search-preview",
        "gpt-4o-audio-preview",
        "gpt-oss-120b",
        "claude-opus-5",
        "claude-next",
        "gemini-2.5-flash",
        "deepseek-reasoner",
        "deepseek-ai/DeepSeek-R1-Distill-Llama-70B",
        "llama-3.1-nemotron-ultra-253b",
        "llama-5-scout",
        "grok-3-mini",
        "grok-4",
        "grok-4-fast-reasoning",
        "command-a-reasoning-08-2025",
        "magistral-medium",
        "qwen3-32b",
        "my-own-model",
        "",
    ],
)
def test_model_that_reasons_or_is_unknown_may_reason(name: str) -> None:
    assert not never_reasons(name)


def test_model_that_the_operator_names_never_reasons() -> None:
    assert never_reasons("My-Own-7b", ("other", "my-own*"))
    assert not never_reasons("your-own-7b", ("other", "my-own*"))
