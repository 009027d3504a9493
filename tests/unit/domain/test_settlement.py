from fractions import Fraction

from support.books import make_intent

from softix_proxy.domain.settlement import Settlement
from softix_proxy.domain.usage import UsageSource


def test_a_settlement_costs_nothing_unless_it_says_so() -> None:
    settlement = Settlement(make_intent(1, 1), 5, 0, UsageSource.NONE, 502)
    assert (settlement.cost_pico, settlement.charge_pico, settlement.tokens_used) == (0, 0, 0)
    assert (settlement.meters, settlement.markup, settlement.error) == ({}, Fraction(1), None)
