"""Robust statistics of whole numbers: a few wild values do not move them."""

from __future__ import annotations

from collections.abc import Sequence


def quantile(values: Sequence[int], percent: int) -> int:
    """Returns the smallest value that at least `percent` of the values do not exceed. 0 for none."""
    ordered = sorted(values)
    return ordered[max(-(-len(ordered) * percent // 100) - 1, 0)] if ordered else 0


def median(values: Sequence[int]) -> int:
    """Returns the lower median, so that it is one of the values. 0 for none."""
    return quantile(values, 50)


def deviation(values: Sequence[int]) -> int:
    """Returns the median absolute deviation (MAD): half of the values are nearer to the median than this."""
    middle = median(values)
    return median([abs(value - middle) for value in values])
