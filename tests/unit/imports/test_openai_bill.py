from collections.abc import Callable

import pytest

from softix_proxy.imports.openai_bill import model_of

FULL, MINI = "gpt-4o-2024-08-06", "gpt-4o-mini-2024-07-18"


@pytest.mark.parametrize(
    ("item", "model"),
    [
        ("gpt-4o-2024-08-06, cached input", FULL),
        ("Web search calls | gpt-4o-2024-08-06", FULL),
        ("Completions", "Completions"),
        ("a |", "a |"),
        (", x", ", x"),
    ],
)
def test_model_of_a_line_item_is_its_name_without_the_kind(item: str, model: str) -> None:
    assert model_of(item) == model


def test_openai_api_costs_are_read_by_day_and_model(golden: Callable[..., object]) -> None:
    assert golden("openai_costs.json") == (
        "OpenAI's costs",
        [
            ("2026-10-01", FULL, 250_000, None),
            ("2026-10-01", FULL, 500_000, None),
            ("2026-10-01", MINI, 1, None),
            ("2026-10-03", FULL, 10_000, None),
        ],
    )


def test_openai_dashboard_costs_are_read_by_day_and_model(golden: Callable[..., object]) -> None:
    assert golden("openai_costs.csv") == (
        "OpenAI's costs",
        [("2026-10-01", FULL, 750_000, None), None, ("2026-10-03", MINI, 1, None)],
    )


@pytest.mark.parametrize("name", ["openai_usage.json", "openai_usage.csv"])
def test_openai_usage_counts_cached_tokens_once(golden: Callable[..., object], name: str) -> None:
    """Cached ones are within the input."""
    assert golden(name) == ("OpenAI's usage", [("2026-10-01", FULL, None, 1500)])
