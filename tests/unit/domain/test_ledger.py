from dataclasses import FrozenInstanceError
from typing import get_args

import pytest

from softix_proxy.domain.ledger import ADJUSTMENTS, CASH, REVENUE, Transfer, TransferKind


def test_the_operators_accounts_are_no_users() -> None:
    assert len({CASH, REVENUE, ADJUSTMENTS}) == 3 and max(CASH, REVENUE, ADJUSTMENTS) < 0


def test_a_transfer_is_never_changed() -> None:
    transfer = Transfer(0, CASH, 1, 5, "top-up")
    with pytest.raises(FrozenInstanceError):
        transfer.amount_pico = 6  # type: ignore[misc]
    assert transfer.kind in get_args(TransferKind) and (transfer.reference, transfer.note) == (None, None)
