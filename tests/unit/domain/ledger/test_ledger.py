from dataclasses import FrozenInstanceError
from typing import get_args

import pytest

from softix_proxy.domain.ledger.ledger import (
    ADJUSTMENTS,
    BANK,
    CASH,
    FEES,
    REVENUE,
    Posting,
    Transfer,
    TransferKind,
    VerificationResult,
)


def test_operator_accounts_are_distinct_and_negative() -> None:
    assert len({CASH, REVENUE, ADJUSTMENTS}) == 3 and max(CASH, REVENUE, ADJUSTMENTS) < 0


def test_transfer_is_immutable_and_has_no_reference_by_default() -> None:
    transfer = Transfer(0, CASH, 1, 5, "top-up")
    with pytest.raises(FrozenInstanceError):
        transfer.amount_pico = 6  # type: ignore[misc]
    assert transfer.kind in get_args(TransferKind) and (transfer.reference, transfer.note) == (None, None)


def test_operator_accounts_have_the_stored_numbers() -> None:
    assert (CASH, REVENUE, ADJUSTMENTS) == (-1, -2, -3)
    assert get_args(TransferKind) == ("top-up", "adjustment", "charge", "correction")


def test_posting_of_a_sum_has_no_request() -> None:
    posting = Posting(1, "charge", REVENUE, "usr_ada", "ada", -5, 4, "lab", "llama", 3, 2, 1)
    assert (posting.request_id, posting.usage_at_us, posting.reference, posting.note) == (None, None, None, None)
    assert VerificationResult(1, 2, 3, ()).periods == 0


def test_sides_of_a_report_that_are_no_accounts_differ_from_all_accounts() -> None:
    assert (FEES, BANK) == (-11, -12)
    assert not {FEES, BANK} & {CASH, REVENUE, ADJUSTMENTS}
