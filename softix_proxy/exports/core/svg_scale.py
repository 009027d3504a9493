"""The scale of a chart: round steps, and decimals without a float."""

from __future__ import annotations


def round_step(peak: int) -> int:
    """Returns 1, 2 or 5 times a power of ten, so that at most four steps reach the peak."""
    size = 1
    while True:
        for digit in (1, 2, 5):
            if peak <= 4 * digit * size:
                return digit * size
        size *= 10


def levels(peak: int) -> range:
    """Returns the levels of the lines of a chart, from 0 up to the first that is not below the peak."""
    step = round_step(peak)
    return range(0, -(-peak // step) * step + 1, step)


def hundredths(value: int) -> str:
    """Formats a number of hundredths: `1250` → `12.50`."""
    return f"{value // 100}.{value % 100:02d}"
