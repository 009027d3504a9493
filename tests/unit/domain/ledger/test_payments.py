"""The credit that a payment should have. The amounts were worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from softix_proxy.domain.ledger.payments import (
    FetchedDispute,
    FetchedPayment,
    FetchedRefund,
    OnlinePayment,
    PaymentKind,
    PaymentPosting,
    PaymentState,
    PostingCause,
    after_fetch,
    due_credit,
    gross_cents,
    net_left_cents,
    refundable_net_cents,
)
from softix_proxy.domain.ledger.refunds import RefundRequest, RefundState

CENT = 10**10
PAYMENT = OnlinePayment(
    id=1,
    public_id="pay_1",
    user_id=1,
    kind=PaymentKind.CHECKOUT,
    state=PaymentState.OPEN,
    asked_cents=1000,
    asked_tax_cents=0,
    is_live=True,
    created_at_us=1,
)
PAID = FetchedPayment(PaymentState.PAID, total_cents=1190, tax_cents=190, session_id="cs_1", intent_id="pi_1")


def refund(cents: int, *, void: bool = False, request: str = "") -> FetchedRefund:
    return FetchedRefund(f"re_{cents}", cents, void, not void, request)


def request(cents: int, state: RefundState = RefundState.REQUESTED) -> RefundRequest:
    return RefundRequest(1, "rfd_1", 1, cents, state, 1)


def credit(fetched: FetchedPayment, *requests: RefundRequest, payment: OnlinePayment = PAYMENT) -> dict[str, int]:
    """In cents, without zeros."""
    due = due_credit(payment, fetched, requests)
    assert all(pico % CENT == 0 for pico in due.pico.values())
    return {cause.value: pico // CENT for cause, pico in due.pico.items() if pico}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"payment": 1000}),
        ({"tax_cents": 0}, {"payment": 1190}),
        ({"refunds": (refund(1190),)}, {"payment": 1000, "refund": -1000}),
        ({"refunds": (refund(595),)}, {"payment": 1000, "refund": -500}),
        ({"refunds": (refund(595, void=True),)}, {"payment": 1000}),
        ({"disputes": (FetchedDispute("du", 1190, 0),)}, {"payment": 1000, "dispute": -1000}),
        ({"disputes": (FetchedDispute("du", 1190, 1190),)}, {"payment": 1000}),
        (
            {"disputes": (FetchedDispute("du", 1190, 1190),), "refunds": (refund(1190),)},
            {"payment": 1000, "refund": -1000},
        ),
        # 5.00 of 11.90 went back: 6.90 are left, 1.10 of that is tax (190 × 690 / 1190 = 110.17), so 5.80 are credit.
        ({"refunds": (refund(500),)}, {"payment": 1000, "refund": -420}),
        ({"refunds": (refund(500), refund(690))}, {"payment": 1000, "refund": -1000}),
        (
            {"refunds": (refund(1190),), "disputes": (FetchedDispute("du", 1190, 0),)},
            {"payment": 1000, "refund": -1000, "dispute": -1000},
        ),
        ({"state": PaymentState.PROCESSING}, {}),
        ({"state": PaymentState.OPEN}, {}),
        ({"currency": "eur"}, {}),
        ({"currency": "jpy"}, {}),
    ],
)
def test_credit_is_paid_minus_refunded_minus_disputed_plus_reinstated_net_of_tax(
    changes: dict[str, object], expected: dict[str, int]
) -> None:
    assert credit(replace(PAID, **changes)) == expected  # type: ignore[arg-type] # each change is of its field's type


@pytest.mark.parametrize("state", RefundState)
def test_credit_is_held_from_the_request_of_a_refund_until_the_provider_has_it(state: RefundState) -> None:
    """A request that was answered with money counts as held until it is seen, so that it never counts as nothing."""
    holds = state not in (RefundState.REFUSED, RefundState.FAILED)
    assert credit(PAID, request(595, state)) == ({"payment": 1000, "hold": -500} if holds else {"payment": 1000})


@pytest.mark.parametrize("state", RefundState)
def test_refund_that_the_provider_has_counts_once_whatever_our_request_says(state: RefundState) -> None:
    there = replace(PAID, refunds=(refund(595, request="rfd_1"),))
    assert credit(there, request(595, state)) == {"payment": 1000, "refund": -500}
    void = replace(PAID, refunds=(refund(595, request="rfd_1", void=True),))
    assert credit(void, request(595, state)) == {"payment": 1000}


def test_tax_by_own_rates_is_the_part_of_the_total_that_was_asked_as_tax() -> None:
    own = replace(PAYMENT, asked_tax_cents=190)
    assert credit(replace(PAID, tax_cents=0), payment=own) == {"payment": 1000}
    assert credit(replace(PAID, tax_cents=0, total_cents=595), payment=own) == {"payment": 500}


@pytest.mark.parametrize(("paid", "tax"), [(1190, 190), (1000, 0), (10_888, 888), (107, 7), (3, 1)])
def test_refunds_of_any_parts_take_back_the_whole_credit_in_the_end(paid: int, tax: int) -> None:
    assert net_left_cents(paid, tax, 0) == paid - tax
    assert net_left_cents(paid, tax, paid) == 0
    assert net_left_cents(0, 0, 5) == -5  # nothing was paid, and something went back
    left = [net_left_cents(paid, tax, taken) for taken in range(paid + 1)]
    assert all(earlier - later in (0, 1) for earlier, later in pairwise(left))


def test_fetch_that_changes_something_is_noted_as_the_last_change() -> None:
    after = after_fetch(PAYMENT, 3, PAID, due_credit(PAYMENT, PAID, []), 77)
    assert (after.state, after.paid_cents, after.tax_cents, after.credit_pico) == (
        PaymentState.PAID, 1190, 190, 1000 * CENT,
    )  # fmt: skip
    assert (after.posted_fetch, after.changed_fetch, after.changed_at_us) == (3, 3, 77)
    assert (after.session_id, after.intent_id) == ("cs_1", "pi_1")
    again = after_fetch(after, 4, PAID, due_credit(after, PAID, []), 88)
    assert again == replace(after, posted_fetch=4)


def test_payment_in_another_currency_becomes_refused() -> None:
    euros = replace(PAID, currency="eur")
    after = after_fetch(PAYMENT, 1, euros, due_credit(PAYMENT, euros, []), 1)
    assert (after.state, after.credit_pico, after.paid_cents) == (PaymentState.REFUSED, 0, 0)


def test_failure_is_kept_as_long_as_the_payment_is_failed() -> None:
    failed = FetchedPayment(PaymentState.FAILED, failure="card_declined")
    after = after_fetch(PAYMENT, 1, failed, due_credit(PAYMENT, failed, []), 1)
    assert after.failure == "card_declined"
    later = replace(PAID, failure="card_declined")
    assert after_fetch(after, 2, later, due_credit(after, later, []), 2).failure == ""


def test_part_that_can_go_back_is_what_is_given_and_unused_in_whole_cents() -> None:
    assert refundable_net_cents(10 * CENT, 7 * CENT + 1) == 7
    assert refundable_net_cents(5 * CENT, 7 * CENT) == 5
    assert refundable_net_cents(5 * CENT, -1) == 0


@pytest.mark.parametrize("net", [0, 1, 333, 420, 500, 999, 1000, 2000])
def test_gross_of_a_refund_is_the_most_whose_net_is_not_more(net: int) -> None:
    paid = replace(PAYMENT, paid_cents=1190, tax_cents=190, credit_pico=1000 * CENT)
    gross = gross_cents(paid, net)
    taken = 1000 - net_left_cents(1190, 190, gross)
    assert taken <= net and gross <= 1190
    if net < 1000:
        assert 1000 - net_left_cents(1190, 190, gross + 1) > net
    else:
        assert gross == 1190


def test_gross_of_a_refund_after_another_is_never_more_than_what_is_left() -> None:
    rest = replace(PAYMENT, paid_cents=1190, tax_cents=190, refunded_cents=1000, held_cents=90, credit_pico=84 * CENT)
    assert rest.left_cents == 100 and gross_cents(rest, 84) == 100 and gross_cents(rest, 42) <= 51


@pytest.mark.parametrize(
    ("net", "gross"),
    [(0, 1), (1, 2), (21, 26), (42, 51), (744, 886), (745, 887), (746, 887)],
)
def test_gross_of_a_part_of_the_rest_is_the_most_that_rounding_allows(net: int, gross: int) -> None:
    """8.87 of 11.90 are left, with 1.42 of tax (190 × 887 / 1190 = 141.62), so 7.45 are credit.

    After 0.26 of them, 8.61 have 1.37 of tax (137.47) and 7.24 of credit: 0.21 less. With 0.25 it is 0.21 as well.
    """
    rest = replace(PAYMENT, paid_cents=1190, tax_cents=190, refunded_cents=303, credit_pico=745 * CENT)
    assert (gross_cents(rest, net), type(gross_cents(rest, net))) == (gross, int)


@pytest.mark.parametrize("taken", [1190, 1191, 1300])
def test_gross_of_a_payment_that_went_back_is_nothing(taken: int) -> None:
    gone = replace(PAYMENT, paid_cents=1190, tax_cents=190, disputed_cents=taken)
    assert gross_cents(gone, 0) == gross_cents(gone, 5) == 0


def test_fetch_takes_over_each_amount_that_went_back_or_is_held() -> None:
    fetched = replace(PAID, refunds=(refund(100),), disputes=(FetchedDispute("du", 300, 20),))
    after = after_fetch(PAYMENT, 1, fetched, due_credit(PAYMENT, fetched, [request(40)]), 1)
    assert (after.refunded_cents, after.disputed_cents, after.held_cents, after.left_cents) == (100, 280, 40, 770)
    assert after.is_just_changed
    assert not replace(after, posted_fetch=2).is_just_changed


def test_states_of_which_the_provider_may_say_more_are_unfinished() -> None:
    assert [state for state in PaymentState if state.is_unfinished] == [PaymentState.OPEN, PaymentState.PROCESSING]
    assert [cause.value for cause in PostingCause] == ["payment", "refund", "dispute", "hold"]


def test_words_that_are_stored_and_compared_are_fixed() -> None:
    assert [kind.value for kind in PaymentKind] == ["checkout", "automatic"]
    assert [state.value for state in PaymentState] == ["open", "processing", "paid", "failed", "expired", "refused"]
    assert credit(replace(PAID, currency="usd")) == {"payment": 1000}


def test_what_is_not_known_of_a_payment_is_nothing() -> None:
    """By the names of fields: what a new payment and an unpaid one have."""
    assert replace(
        PAYMENT, account_id=None, session_id=None, intent_id=None, paid_cents=0, tax_cents=0, refunded_cents=0,
        disputed_cents=0, held_cents=0, credit_pico=0, posted_fetch=0, changed_fetch=0, failure="", changed_at_us=0,
    ) == PAYMENT  # fmt: skip
    assert FetchedPayment(PaymentState.OPEN) == FetchedPayment(
        PaymentState.OPEN, "usd", 0, 0, refunds=(), disputes=(), session_id=None, intent_id=None, failure=""
    )
    assert FetchedRefund("re", 1, True, False) == ("re", 1, True, False, "")


def test_due_credit_tells_the_amounts_with_tax_behind_it() -> None:
    nothing = due_credit(PAYMENT, replace(PAID, state=PaymentState.OPEN), [request(5)])
    assert nothing == (dict.fromkeys(PostingCause, 0), 0, 0, 0, 0, 0)
    paid = replace(PAID, refunds=(refund(100), refund(50, void=True)), disputes=(FetchedDispute("du", 300, 20),))
    assert due_credit(PAYMENT, paid, [request(40)])[1:] == (1190, 190, 100, 280, 40)
    own = replace(PAYMENT, asked_tax_cents=190)
    assert due_credit(own, PAID, [])[1:] == (1190, 380, 0, 0, 0)  # Stripe's tax and softix's own


def test_rest_of_a_payment_is_what_was_paid_without_all_that_went_or_is_held() -> None:
    assert replace(PAYMENT, paid_cents=1000, refunded_cents=100, disputed_cents=20, held_cents=3).left_cents == 877
    assert replace(PAYMENT, asked_tax_cents=190).asked_total_cents == 1190


def test_posting_without_a_part_of_what_was_paid_only_rounds() -> None:
    posting = PaymentPosting(1, 1, PostingCause.DISPUTE, -CENT, 0, 1)
    assert posting.is_rounding
    assert not any(posting._replace(gross_cents=cents).is_rounding for cents in (-1, 1))
