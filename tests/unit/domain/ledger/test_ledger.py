from dataclasses import FrozenInstanceError
from typing import get_args

import pytest

from softix_proxy.domain.ledger.ledger import (
    ADJUSTMENTS,
    CASH,
    REVENUE,
    Posting,
    Transfer,
    TransferKind,
    VerificationResult,
)


def test_the_operators_accounts_are_no_users() -> None:
    assert len({CASH, REVENUE, ADJUSTMENTS}) == 3 and max(CASH, REVENUE, ADJUSTMENTS) < 0


def test_a_transfer_is_never_changed() -> None:
    transfer = Transfer(0, CASH, 1, 5, "top-up")
    with pytest.raises(FrozenInstanceError):
        transfer.amount_pico = 6  # type: ignore[misc]
    assert transfer.kind in get_args(TransferKind) and (transfer.reference, transfer.note) == (None, None)


def test_operators_accounts_have_the_numbers_that_books_have() -> None:
    assert (CASH, REVENUE, ADJUSTMENTS) == (-1, -2, -3)
    assert get_args(TransferKind) == ("top-up", "adjustment", "charge", "correction")


def test_posting_of_a_sum_names_no_request() -> None:
    posting = Posting(1, "charge", REVENUE, "usr_ada", "ada", -5, 4, "lab", "llama", 3, 2, 1)
    assert (posting.request_id, posting.usage_at_us, posting.reference, posting.note) == (None, None, None, None)
    assert VerificationResult(1, 2, 3, ()).periods == 0
