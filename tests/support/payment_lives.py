"""Random lives of a payment: what happens at the provider, and what becomes of the events about it.

The operation under test is the real one. Its storage is in memory, so that thousands of lives take seconds: a
transaction is atomic there, as SQLite makes it, and a handler can be stopped wherever it waits.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Generator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from support.books import NOW_US, StoppedClock

from softix_proxy.domain.billing.seller import Billing
from softix_proxy.domain.ledger.ledger import Transfer
from softix_proxy.domain.ledger.payments import (
    FetchedDispute,
    FetchedPayment,
    FetchedRefund,
    OnlinePayment,
    PaymentKind,
    PaymentPosting,
    PaymentState,
)
from softix_proxy.domain.ledger.payments_section import PaymentsSection
from softix_proxy.domain.ledger.refunds import RefundRequest
from softix_proxy.domain.ports.payment_gateway import EventHint, GatewayError
from softix_proxy.domain.ports.storage import Unit
from softix_proxy.operations.ledger.payments import PaymentContext

ADA = 1
CENT_PICO = 10**10


@dataclass
class Rows:
    payments: dict[int, OnlinePayment] = field(default_factory=dict)
    fetches: dict[int, int] = field(default_factory=dict)
    postings: list[PaymentPosting] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    requests: dict[str, RefundRequest] = field(default_factory=dict)


class MemoryPayments:
    """As much of the stores as the operation uses."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.refunds = MemoryRefunds(rows)
        self.auto_top_ups = NoAutoTopUps()

    async def get(self, payment_id: int) -> OnlinePayment:
        return self._rows.payments[payment_id]

    async def find(self, public_id: str) -> OnlinePayment | None:
        return next((one for one in self._rows.payments.values() if one.public_id == public_id), None)

    async def by_session(self, session_id: str) -> OnlinePayment | None:
        return next((one for one in self._rows.payments.values() if one.session_id == session_id), None)

    async def by_intent(self, intent_id: str) -> OnlinePayment | None:
        return next((one for one in self._rows.payments.values() if one.intent_id == intent_id), None)

    async def list(self, user_id: int | None, limit: int) -> Sequence[OnlinePayment]:
        return list(self._rows.payments.values())

    async def unfinished(self) -> Sequence[OnlinePayment]:
        return [one for one in self._rows.payments.values() if one.state.is_unfinished]

    async def first_begun_us(self) -> int | None:
        return NOW_US

    async def update(self, payment: OnlinePayment) -> None:
        self._rows.payments[payment.id] = payment

    async def number_fetch(self, payment_id: int) -> int:
        self._rows.fetches[payment_id] = self._rows.fetches.get(payment_id, 0) + 1
        return self._rows.fetches[payment_id]

    async def posted(self, payment_id: int) -> Sequence[PaymentPosting]:
        return [one for one in self._rows.postings if one.payment_id == payment_id]

    async def record(self, posting: PaymentPosting) -> None:
        self._rows.postings.append(posting)

    async def is_seen(self, event_id: str) -> bool:
        return event_id in self._rows.seen

    async def see(self, event_id: str, payment_id: int | None, now_us: int) -> None:
        self._rows.seen.add(event_id)

    async def forget_events(self, before_us: int) -> int:
        return 0

    async def customer(self, user_id: int, is_live: bool) -> str | None:
        return "cus_ada"


class MemoryRefunds:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def of_payment(self, payment_id: int) -> Sequence[RefundRequest]:
        return list(self._rows.requests.values())

    async def update(self, request: RefundRequest) -> None:
        self._rows.requests[request.public_id] = request


class NoAutoTopUps:
    async def get(self, user_id: int) -> None:
        return None


class MemoryInstance:
    """Named values that nobody reads again: each sweep lists everything."""

    async def get(self, name: str) -> bytes | None:
        return None

    async def set(self, name: str, value: bytes) -> None:
        pass


class MemoryLedger:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def post(self, transfer: Transfer) -> Transfer:
        posted = replace(transfer, id=len(self._rows.transfers) + 1)
        assert all(one.reference != posted.reference for one in self._rows.transfers)
        self._rows.transfers.append(posted)
        return posted


class MemoryUnit:
    def __init__(self, rows: Rows, clock: StoppedClock) -> None:
        self.payments, self.ledger, self.clock = MemoryPayments(rows), MemoryLedger(rows), clock
        self.instance = MemoryInstance()


class MemoryStorage:
    def __init__(self) -> None:
        self.rows, self.clock = Rows(), StoppedClock()
        self.credits: list[int] = []
        """The credit after each transaction that changed it."""

    def reading(self) -> Any:
        return MemoryUnit(self.rows, self.clock)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Any]:
        rows = self.rows
        working = Rows(
            dict(rows.payments),
            dict(rows.fetches),
            list(rows.postings),
            list(rows.transfers),
            set(rows.seen),
            dict(rows.requests),
        )
        yield MemoryUnit(working, self.clock)  # if this raises, nothing of it stays
        self.rows = working
        credit = sum(posting.amount_pico for posting in working.postings)
        if credit != (self.credits[-1] if self.credits else 0):
            self.credits.append(credit)


class Pause:
    """Where a handler waits, so that others go on, and where it may be stopped."""

    def __await__(self) -> Generator[None, None, None]:
        yield


@dataclass
class Life:
    """A payment at the provider."""

    total_cents: int
    tax_cents: int
    is_paid: bool = False
    refunds: list[FetchedRefund] = field(default_factory=list)
    disputes: list[FetchedDispute] = field(default_factory=list)
    events: list[EventHint] = field(default_factory=list)
    history: list[int] = field(default_factory=lambda: [0])
    """The credit that it should have given, after each thing that happened."""

    def left_cents(self) -> int:
        gone = sum(one.amount_cents for one in self.refunds if not one.is_void)
        gone += sum(one.withdrawn_cents - one.reinstated_cents for one in self.disputes)
        return (self.total_cents if self.is_paid else 0) - gone

    def due_pico(self) -> int:
        """By hand: what is left of the payment, without its share of the tax. The shares are whole cents here."""
        left = self.left_cents()
        assert self.tax_cents * left % self.total_cents == 0
        return (left - self.tax_cents * left // self.total_cents) * CENT_PICO

    def happened(self) -> None:
        self.events.append(EventHint(f"evt_{len(self.events)}", False, "cs_1", "pi_1"))
        self.history.append(self.due_pico())

    def go_on(self, random: Random, step_cents: int) -> None:
        """Lets one more thing happen: the payment, a refund that may wait and fail, a dispute, and how it ends."""
        if not self.is_paid:
            self.is_paid = True
            return self.happened()
        waiting = [at for at, one in enumerate(self.refunds) if not (one.is_final or one.is_void)]
        contested = [at for at, one in enumerate(self.disputes) if one.withdrawn_cents and not one.reinstated_cents]
        what = random.choice(["refund", "refund", "dispute", "answer", "win"])
        left_steps = self.left_cents() // step_cents
        if what == "refund" and left_steps > 0:
            cents = random.randint(1, left_steps) * step_cents
            waits = random.random() < 0.3
            self.refunds.append(FetchedRefund(f"re_{len(self.refunds)}", cents, False, not waits))
        elif what == "dispute" and left_steps > 0:
            cents = random.randint(1, left_steps) * step_cents
            self.disputes.append(FetchedDispute(f"du_{len(self.disputes)}", cents, 0))
        elif what == "answer" and waiting:
            at = random.choice(waiting)
            fails = random.random() < 0.5
            self.refunds[at] = self.refunds[at]._replace(is_void=fails, is_final=not fails)
        elif what == "win" and contested:
            at = random.choice(contested)
            self.disputes[at] = self.disputes[at]._replace(reinstated_cents=self.disputes[at].withdrawn_cents)
        else:
            return None
        return self.happened()


class LifeGateway:
    """Fetches the life as it is between two pauses. Now and then it does not answer."""

    is_live = False

    def __init__(self, life: Life, random: Random) -> None:
        self._life, self._random = life, random
        self.troubles = True

    async def fetch(self, payment: OnlinePayment, customer_id: str | None) -> FetchedPayment:
        await Pause()
        if self.troubles and self._random.random() < 0.1:
            raise GatewayError("no answer")
        life = self._life
        found = FetchedPayment(
            state=PaymentState.PAID if life.is_paid else PaymentState.OPEN,
            total_cents=life.total_cents if life.is_paid else 0,
            tax_cents=life.tax_cents if life.is_paid else 0,
            refunds=tuple(life.refunds),
            disputes=tuple(life.disputes),
            session_id="cs_1",
            intent_id="pi_1" if life.is_paid else None,
        )
        await Pause()
        return found

    async def events(self, since_us: int) -> AsyncIterator[EventHint]:
        for hint in self._life.events:
            yield hint


def context_for(life: Life, random: Random) -> tuple[PaymentContext, MemoryStorage, LifeGateway]:
    storage, gateway = MemoryStorage(), LifeGateway(life, random)
    storage.rows.payments[1] = OnlinePayment(
        id=1,
        public_id="pay_life",
        user_id=ADA,
        kind=PaymentKind.CHECKOUT,
        state=PaymentState.OPEN,
        asked_cents=life.total_cents - life.tax_cents,
        asked_tax_cents=0,
        is_live=False,
        created_at_us=NOW_US,
        session_id="cs_1",
    )
    context: Any = PaymentContext(storage, gateway, PaymentsSection(), Billing(), nothing_follows)  # type: ignore[arg-type] # as much of both as is used
    return context, storage, gateway


async def nothing_follows(
    unit: Unit, before: OnlinePayment, after: OnlinePayment, postings: Sequence[PaymentPosting]
) -> None:
    """No documents and no messages."""


def run_to_end(coroutine: Coroutine[Any, Any, Any]) -> Any:
    try:
        while True:
            coroutine.send(None)
    except StopIteration as done:
        return done.value
