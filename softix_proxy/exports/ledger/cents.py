"""Converts pico-USD to cents so that the sum of any number of periods equals the ledger's amount.

Rounding differences are carried over. A period's cents are the rounded total up to its end minus the rounded total up
to its beginning.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable

from softix_proxy.domain.core.money import PICO_PER_CENT, divide_half_even


class Cents:
    def __init__(self) -> None:
        self._total_pico: defaultdict[Hashable, int] = defaultdict(int)

    def add(self, whose: Hashable, pico: int) -> int:
        """Adds the amount and returns by how many cents the rounded total grows."""
        before_pico = self._total_pico[whose]
        self._total_pico[whose] = before_pico + pico
        return to_cents(before_pico + pico) - to_cents(before_pico)


def to_cents(pico: int) -> int:
    return divide_half_even(pico, PICO_PER_CENT)
