"""The payments by card and the like, which a payment provider collects, and the credit that each should have.

What the provider reports is only a hint that something changed. The payment is fetched, `due_credit` says what it
should have given by now, and the difference to what was posted is posted. So events may come twice, late, out of order
or never.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple, Protocol

from softix_proxy.domain.core.money import PICO_PER_CENT, divide_half_even
from softix_proxy.domain.ledger.auto_top_ups import AutoTopUpStore
from softix_proxy.domain.ledger.refunds import RefundRequest, RefundRequestStore

PAYMENT_CURRENCY = "usd"
"""The only currency, as ISO 4217 in lower case. An amount in another one is not in cents of a dollar."""


class PaymentKind(StrEnum):
    CHECKOUT = "checkout"
    """A person pays on the provider's page."""
    AUTOMATIC = "automatic"
    """softix charges the saved method, because the balance is below the threshold."""


class PaymentState(StrEnum):
    """How far a payment is."""

    OPEN = "open"
    """Nothing was paid yet, and it still can be."""
    PROCESSING = "processing"
    """The person paid, and the money has not arrived. Nobody should pay again."""
    PAID = "paid"
    FAILED = "failed"
    EXPIRED = "expired"
    REFUSED = "refused"
    """It was paid in another currency. It gives no credit, and operators are told."""

    @property
    def is_unfinished(self) -> bool:
        return self in (PaymentState.OPEN, PaymentState.PROCESSING)


class PostingCause(StrEnum):
    """Why a payment moves money between cash and the wallet."""

    PAYMENT = "payment"
    REFUND = "refund"
    """Money that goes back. In the other direction, a refund that the bank could not make."""
    DISPUTE = "dispute"
    """Money that a bank took back. In the other direction, a dispute that was won."""
    HOLD = "hold"
    """Money that is held for a refund that the provider does not have yet. In the other direction, its release."""


@dataclass(frozen=True, slots=True)
class OnlinePayment:
    """One payment: what was asked for, and what was last known and posted."""

    id: int
    public_id: str
    """The id by which pages, events and the provider name it: `pay_` and letters. It is the idempotency key, too."""
    user_id: int
    """The number of the organisation whose wallet gets the credit."""
    kind: PaymentKind
    state: PaymentState
    asked_cents: int
    """The credit that was asked for, without tax."""
    asked_tax_cents: int
    """The tax that softix added by its own rates. 0 if the provider adds the tax, or if there is none."""
    is_live: bool
    """False for a payment in the provider's test mode, in which no money moves."""
    created_at_us: int
    account_id: int | None = None
    """The person who pays. None for an automatic payment."""
    session_id: str | None = None
    """The provider's id of its page for this payment."""
    intent_id: str | None = None
    """The provider's id of the payment."""
    paid_cents: int = 0
    """What was paid with the tax, and before refunds and disputes."""
    tax_cents: int = 0
    """The part of `paid_cents` that is tax."""
    refunded_cents: int = 0
    disputed_cents: int = 0
    held_cents: int = 0
    """What is held for refunds that the provider does not have yet."""
    credit_pico: int = 0
    """The sum of what was posted to the wallet."""
    posted_fetch: int = 0
    """The number of the last fetch that was taken over. An older one is dropped."""
    changed_fetch: int = 0
    """The number of the last fetch that changed something. One that began before it was taken over is repeated."""
    failure: str = ""
    """The provider's code for the failure, such as `card_declined`."""
    changed_at_us: int = 0

    @property
    def asked_total_cents(self) -> int:
        return self.asked_cents + self.asked_tax_cents

    @property
    def left_cents(self) -> int:
        """What the payment still has, with the tax. Below 0, the customer got more back than was paid."""
        return self.paid_cents - self.refunded_cents - self.disputed_cents - self.held_cents

    @property
    def is_just_changed(self) -> bool:
        """Whether the last fetch that was taken over changed something."""
        return self.changed_fetch == self.posted_fetch


class FetchedRefund(NamedTuple):
    """A refund as the provider has it."""

    id: str
    amount_cents: int
    is_void: bool
    """Whether it failed or was cancelled, so that the money stays."""
    is_final: bool
    """Whether the money has gone."""
    request: str = ""
    """The public id of our request for it. Empty if it was made elsewhere, for example in the provider's dashboard."""


class FetchedDispute(NamedTuple):
    """A dispute as the provider has it. An inquiry that withdraws nothing has zeros."""

    id: str
    withdrawn_cents: int
    reinstated_cents: int


@dataclass(frozen=True, slots=True)
class FetchedPayment:
    """A payment as the provider has it at one moment."""

    state: PaymentState
    currency: str = PAYMENT_CURRENCY
    total_cents: int = 0
    """What was received, with the tax."""
    tax_cents: int = 0
    """The tax in the total that the provider calculated."""
    refunds: tuple[FetchedRefund, ...] = ()
    disputes: tuple[FetchedDispute, ...] = ()
    session_id: str | None = None
    intent_id: str | None = None
    failure: str = ""


class DueCredit(NamedTuple):
    """What a payment should have given by now. Amounts without a name of money are in cents with tax."""

    pico: Mapping[PostingCause, int]
    """Cause → the credit in pico-USD, net of tax. Refunds, disputes and what is held are negative."""
    paid_cents: int
    tax_cents: int
    refunded_cents: int
    disputed_cents: int
    held_cents: int


def due_credit(payment: OnlinePayment, fetched: FetchedPayment, requests: Sequence[RefundRequest]) -> DueCredit:
    """Returns what the payment should have given: paid, minus refunded, minus disputed, plus reinstated; net of tax.

    A refund that was requested counts from the request on, whether or not the provider knows of it. If the provider
    has it, the provider's word counts. Tax is divided in proportion and rounded to cents on what remains, so that a
    payment that went back as a whole leaves exactly nothing. Refunds and disputes together may exceed what was paid;
    the customer got that money, so the credit becomes negative.
    """
    if fetched.currency != PAYMENT_CURRENCY or fetched.state is not PaymentState.PAID:
        return DueCredit(dict.fromkeys(PostingCause, 0), 0, 0, 0, 0, 0)
    total_cents, tax_cents = fetched.total_cents, fetched.tax_cents
    if payment.asked_tax_cents:
        tax_cents += divide_half_even(total_cents * payment.asked_tax_cents, payment.asked_total_cents)
    known = {refund.request for refund in fetched.refunds}
    refunded_cents = sum(refund.amount_cents for refund in fetched.refunds if not refund.is_void)
    held_cents = sum(one.amount_cents for one in requests if one.holds and one.public_id not in known)
    disputed_cents = sum(one.withdrawn_cents - one.reinstated_cents for one in fetched.disputes)

    steps = {
        PostingCause.PAYMENT: 0,
        PostingCause.REFUND: refunded_cents,
        PostingCause.DISPUTE: disputed_cents,
        PostingCause.HOLD: held_cents,
    }
    taken_cents = before_cents = 0
    pico: dict[PostingCause, int] = {}
    for cause, cents in steps.items():
        taken_cents += cents
        after_cents = net_left_cents(total_cents, tax_cents, taken_cents)
        pico[cause] = (after_cents - before_cents) * PICO_PER_CENT
        before_cents = after_cents
    return DueCredit(pico, total_cents, tax_cents, refunded_cents, disputed_cents, held_cents)


def net_left_cents(paid_cents: int, tax_cents: int, taken_cents: int) -> int:
    """Returns the credit that a payment still gives after this part of it, with the tax, was taken back."""
    left_cents = paid_cents - taken_cents
    return left_cents - divide_half_even(tax_cents * left_cents, paid_cents) if paid_cents else left_cents


def after_fetch(
    payment: OnlinePayment, number: int, fetched: FetchedPayment, due: DueCredit, now_us: int
) -> OnlinePayment:
    """Returns the payment as it is once what the fetch found is posted."""
    foreign = fetched.state is PaymentState.PAID and fetched.currency != PAYMENT_CURRENCY
    after = replace(
        payment,
        state=PaymentState.REFUSED if foreign else fetched.state,
        session_id=payment.session_id or fetched.session_id,
        intent_id=payment.intent_id or fetched.intent_id,
        paid_cents=due.paid_cents,
        tax_cents=due.tax_cents,
        refunded_cents=due.refunded_cents,
        disputed_cents=due.disputed_cents,
        held_cents=due.held_cents,
        credit_pico=sum(due.pico.values()),
        failure=fetched.failure if fetched.state is PaymentState.FAILED else "",
    )
    if after != payment:
        after = replace(after, changed_fetch=number, changed_at_us=now_us)
    return replace(after, posted_fetch=number)


def refundable_net_cents(credit_pico: int, unused_pico: int) -> int:
    """Returns what can go back of a payment, net of tax: whole cents that it still gives and that nobody used."""
    return max(0, min(credit_pico, unused_pico) // PICO_PER_CENT)


def gross_cents(payment: OnlinePayment, net_cents: int) -> int:
    """Returns what a customer gets back, with the tax, for a part of the credit. Never more than what is left of it.

    It is the greatest amount whose net is at most `net_cents`.
    """
    taken_cents = payment.paid_cents - payment.left_cents
    credit_cents = net_left_cents(payment.paid_cents, payment.tax_cents, taken_cents)

    def net_of(gross: int) -> int:
        return credit_cents - net_left_cents(payment.paid_cents, payment.tax_cents, taken_cents + gross)

    return max(0, bisect_right(range(payment.left_cents + 1), net_cents, key=net_of) - 1)


class PaymentPosting(NamedTuple):
    """One transfer of a payment. A positive amount goes into the wallet."""

    transfer_id: int
    payment_id: int
    cause: PostingCause
    amount_pico: int
    gross_cents: int
    """The part of what was paid, refunded or disputed with the tax that this transfer stands for. It has its sign."""
    fetch: int

    @property
    def is_rounding(self) -> bool:
        """Whether no money came or went: another refund or dispute only changed how cents of the tax are rounded."""
        return self.gross_cents == 0


class PaymentStore(Protocol):
    """Stores payments, what was posted of them, and which events were seen."""

    @property
    def refunds(self) -> RefundRequestStore: ...

    @property
    def auto_top_ups(self) -> AutoTopUpStore: ...

    async def add(self, payment: OnlinePayment) -> OnlinePayment:
        """Adds a payment. `payment.id` is ignored and assigned.

        Raises ConflictError if the user has an automatic payment that is not finished.
        """
        ...

    async def get(self, payment_id: int) -> OnlinePayment: ...

    async def find(self, public_id: str) -> OnlinePayment | None: ...

    async def by_session(self, session_id: str) -> OnlinePayment | None: ...

    async def by_intent(self, intent_id: str) -> OnlinePayment | None: ...

    async def list(self, user_id: int | None, limit: int) -> Sequence[OnlinePayment]:
        """Returns payments, the newest first."""
        ...

    async def unfinished(self) -> Sequence[OnlinePayment]:
        """Returns the payments of which the provider may still say something new, the oldest first."""
        ...

    async def first_begun_us(self) -> int | None:
        """Returns when the first of all payments was begun, or None if there is none."""
        ...

    async def update(self, payment: OnlinePayment) -> None: ...

    async def number_fetch(self, payment_id: int) -> int:
        """Returns the next number of a fetch of this payment. It is taken before the fetch starts."""
        ...

    async def posted(self, payment_id: int) -> Sequence[PaymentPosting]:
        """Returns what was posted of a payment, the oldest first."""
        ...

    async def posted_between(self, from_us: int, to_us: int) -> Sequence[tuple[OnlinePayment, PaymentPosting]]:
        """Returns what was posted from then on and before the end, with its payment.

        The newest payment is first, and of each payment the oldest posting.
        """
        ...

    async def undocumented(self, user_id: int | None, limit: int) -> Sequence[OnlinePayment]:
        """Returns payments of which something was posted that has no document yet, the oldest first.

        Money that went back needs one only if the payment has its receipt. Money that is only held needs none.
        """
        ...

    async def record(self, posting: PaymentPosting) -> None: ...

    async def of_transfers(self, transfer_ids: Sequence[int]) -> Mapping[int, PaymentPosting]:
        """Returns those of these transfers that belong to a payment."""
        ...

    async def is_seen(self, event_id: str) -> bool: ...

    async def see(self, event_id: str, payment_id: int | None, now_us: int) -> None:
        """Notes that an event was handled, in the transaction of what it caused. None means that it is not ours."""
        ...

    async def last_seen_us(self) -> int:
        """Returns when the last event was handled, or 0."""
        ...

    async def forget_events(self, before_us: int) -> int: ...

    async def claim_customer(self, user_id: int, is_live: bool, claim: str, now_us: int) -> tuple[str, str | None]:
        """Claims the only row for a customer of this user, before the customer is made.

        Returns the claim that came first, which is the idempotency key of the customer, and the provider's id of the
        customer if it was made.
        """
        ...

    async def set_customer(self, user_id: int, is_live: bool, customer_id: str) -> str:
        """Stores the provider's id once. Returns the one that is stored."""
        ...

    async def forget_customer(self, user_id: int, is_live: bool, customer_id: str) -> None:
        """Forgets a customer that is gone, if it is still the stored one. The next claim is a new one."""
        ...

    async def forget_customers(self, is_live: bool) -> None:
        """Forgets all customers of a mode: the provider's account is another one."""
        ...

    async def customer(self, user_id: int, is_live: bool) -> str | None: ...

    async def automatic_cents(self, user_id: int, since_us: int) -> int:
        """Returns the sum of the automatic payments since then that did not fail, without tax."""
        ...

    async def adjusted_pico(self, user_id: int) -> int:
        """Returns the sum of all adjustments of the wallet: what was granted, and nobody paid."""
        ...
