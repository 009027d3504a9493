import pytest

from softix_proxy.domain.core.money import PICO_PER_USD
from softix_proxy.exports.metering.rounded import count, money, percent


@pytest.mark.parametrize(
    ("pico", "shown"),
    [
        (0, "$0.00"),
        (1, "<$0.0001"),
        (-1, "-<$0.0001"),
        (PICO_PER_USD // 200, "$0.0050"),
        (PICO_PER_USD, "$1.00"),
        (1234 * PICO_PER_USD + PICO_PER_USD // 2, "$1,234.50"),
        (-3 * PICO_PER_USD // 2, "-$1.50"),
    ],
)
def test_money_of_any_size_is_rounded_for_display(pico: int, shown: str) -> None:
    assert money(pico) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, "0"), (999, "999"), (1000, "1.00 k"), (12_345, "12.3 k"), (4_109_999, "4.10 M"), (2 * 10**9, "2.00 G")],
)
def test_count_of_any_size_is_shortened(number: int, shown: str) -> None:
    assert count(number) == shown


def test_percent_of_a_total_is_a_whole_number() -> None:
    assert [percent(*pair) for pair in ((1, 3), (1, 1000), (0, 3), (0, 0), (3, 3))] == ["33", "<1", "0", "0", "100"]
