from __future__ import annotations

import pytest
from support.abuse_traffic import found

from softix_proxy.domain.abuse.evidence import PaymentTries
from softix_proxy.domain.abuse.rules.card_testing import RULE


def tries(**counts: int) -> PaymentTries:
    values = {"tried": 0, "failed": 0, "small_failed": 0, "open": 0, "paid": 0, **counts}
    return PaymentTries(3, "usr_ada", **values)


@pytest.mark.parametrize(
    "counts",
    [
        {"tried": 8, "failed": 8},
        {"tried": 5, "failed": 5, "small_failed": 5},
        {"tried": 15, "failed": 2, "open": 10, "paid": 3},
    ],
)
def test_payments_that_try_cards_are_noticed(counts: dict[str, int]) -> None:
    [suspicion] = found(RULE, tries(**counts))
    assert (suspicion.subject, suspicion.user_id, suspicion.key_id) == ("usr_ada", 3, None)
    assert f"tried {counts['tried']} payments" in suspicion.text
    assert suspicion.figures["failed"] == counts["failed"]


@pytest.mark.parametrize(
    "counts",
    [
        {"tried": 9, "failed": 7, "paid": 2},
        {"tried": 6, "failed": 4, "small_failed": 4, "paid": 2},
        {"tried": 15, "open": 11, "paid": 4},
        {"tried": 40, "paid": 40},
        {"tried": 14, "open": 14},
    ],
)
def test_payments_of_a_person_with_a_bad_day_are_not_noticed(counts: dict[str, int]) -> None:
    assert found(RULE, tries(**counts)) == []
