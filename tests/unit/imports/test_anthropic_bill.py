from collections.abc import Callable


def test_anthropic_api_costs_are_read_as_cents(golden: Callable[..., object]) -> None:
    assert golden("anthropic_costs.json") == (
        "Anthropic's cost report",
        [("2026-10-01", "claude-haiku-4-5-20251001", 1_237_891, None), ("2026-10-01", None, 10_000, None)],
    )


def test_anthropic_console_costs_are_read_as_dollars(golden: Callable[..., object]) -> None:
    assert golden("anthropic_costs.csv") == (
        "Anthropic's costs",
        [
            ("2026-10-01", "Claude Haiku 4.5", 750_000, None),
            ("2026-10-01", "Claude Haiku 4.5", 490_000, None),
            ("2026-10-02", None, 10_000, None),
        ],
    )
