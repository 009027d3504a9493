from __future__ import annotations

from softix_proxy.domain.abuse.robust import deviation, median, quantile


def test_quantile_is_one_of_the_values() -> None:
    assert [quantile([30, 10, 20, 40], percent) for percent in (1, 25, 26, 50, 75, 99, 100)] == [
        10, 10, 20, 20, 30, 40, 40
    ]  # fmt: skip
    assert quantile([], 99) == median([]) == deviation([]) == 0


def test_one_wild_value_moves_neither_median_nor_deviation() -> None:
    assert median([1, 2, 3, 4, 1_000_000]) == 3
    assert deviation([1, 2, 3, 4, 1_000_000]) == 1
