from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.exports.core.svg_scale import hundredths, levels, round_step


@given(st.integers(1, 10**20))
def test_step_with_any_peak_is_round_and_needs_at_most_four(peak: int) -> None:
    step = round_step(peak)
    assert step * 4 >= peak and str(step).rstrip("0") in ("1", "2", "5")


@given(st.integers(1, 10**20))
def test_levels_begin_at_nothing_and_reach_the_peak(peak: int) -> None:
    lines = levels(peak)
    assert lines[0] == 0 and lines[-1] >= peak > lines[-2] and 2 <= len(lines) <= 5


def test_hundredths_are_written_with_two_decimals() -> None:
    assert [hundredths(number) for number in (0, 7, 1250)] == ["0.00", "0.07", "12.50"]
