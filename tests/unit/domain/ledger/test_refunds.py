from __future__ import annotations

from softix_proxy.domain.ledger.refunds import RefundRequest, RefundState


def test_request_holds_money_unless_it_was_refused_or_failed() -> None:
    requests = [RefundRequest(1, "rfd_1", 1, 5, state, 1) for state in RefundState]
    assert [one.state.value for one in requests if one.holds] == ["requested", "approved", "refunded"]
    assert [one.state.value for one in requests if one.is_open] == ["requested", "approved"]
