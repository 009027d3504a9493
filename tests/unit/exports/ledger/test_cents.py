from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.core.money import PICO_PER_CENT
from softix_proxy.exports.ledger.cents import Cents, to_cents

AMOUNTS = st.integers(-(10**15), 10**15)


@given(st.lists(AMOUNTS, min_size=12, max_size=12))
def test_cents_of_twelve_months_add_up_to_the_cents_of_the_year(months: list[int]) -> None:
    cents = Cents()
    assert sum(cents.add("ada", pico) for pico in months) == to_cents(sum(months))


@given(st.lists(AMOUNTS, max_size=40), st.integers(0, 40))
def test_cents_with_an_earlier_sum_continue_where_the_earlier_export_ended(amounts: list[int], cut: int) -> None:
    whole, later = Cents(), Cents()
    expected = [whole.add("ada", pico) for pico in amounts]
    later.add("ada", sum(amounts[:cut]))
    assert [later.add("ada", pico) for pico in amounts[cut:]] == expected[cut:]


@given(st.lists(AMOUNTS, max_size=40))
def test_cents_after_any_amounts_are_within_half_a_cent(amounts: list[int]) -> None:
    cents, shown, exact = Cents(), 0, 0
    for pico in amounts:
        shown, exact = shown + cents.add("ada", pico), exact + pico
        assert abs(shown - Fraction(exact, PICO_PER_CENT)) <= Fraction(1, 2)


def test_cents_of_several_subjects_have_separate_remainders() -> None:
    cents = Cents()
    assert [cents.add(whose, PICO_PER_CENT * 4 // 10) for whose in ("ada", "bob", "ada", "bob")] == [0, 0, 1, 1]
