"""Random lives of payments: whatever becomes of the events, the credit ends right, and never goes back."""

from __future__ import annotations

from collections.abc import Coroutine
from random import Random
from typing import Any

import pytest
from support.payment_lives import CENT_PICO, Life, MemoryStorage, context_for, run_to_end

from softix_proxy.domain.ports.payment_gateway import EventHint, GatewayError
from softix_proxy.operations.ledger import payment_sweeps, payments

LIVES = 3000
LOST, TWICE, KILLED = 0.1, 0.2, 0.1
Handler = Coroutine[Any, Any, Any]


def advance(handlers: list[Handler], random: Random) -> None:
    """Lets one of the handlers go on to its next pause, or stops it there for good."""
    at = random.randrange(len(handlers))
    handler = handlers[at]
    try:
        handler.send(None)
    except (StopIteration, GatewayError):
        handlers.pop(at)
        return
    if random.random() < KILLED:
        handler.close()
        handlers.pop(at)


def deliver(life: Life, sent: int, random: Random) -> tuple[list[EventHint], int]:
    """The events that arrive now: some are lost, some come twice, and some overtake others."""
    arriving = [
        hint
        for hint in life.events[sent:]
        if random.random() >= LOST
        for _ in range(2 if random.random() < TWICE else 1)
    ]
    random.shuffle(arriving)
    return arriving, len(life.events)


def live(seed: int) -> tuple[Life, MemoryStorage]:
    random = Random(seed)  # the seed makes the life, so that it can be told again
    taxed = random.random() < 0.5
    life = Life(total_cents=11_900 if taxed else 10_000, tax_cents=1_900 if taxed else 0)
    context, storage, gateway = context_for(life, random)
    handlers: list[Handler] = []
    late: list[EventHint] = []
    sent = 0
    for _ in range(random.randint(5, 40)):
        if random.random() < 0.4:
            life.go_on(random, 119 if taxed else 100)
            arriving, sent = deliver(life, sent, random)
            late += arriving
        if late and random.random() < 0.6:
            handlers.append(payments.handle_event(context, late.pop(random.randrange(len(late)))))
        if handlers:
            advance(handlers, random)
    handlers += [payments.handle_event(context, hint) for hint in late]
    while handlers:
        advance(handlers, random)
    gateway.troubles = False
    run_to_end(payment_sweeps.sweep(context))
    return life, storage


@pytest.mark.slow
def test_payments_of_3000_random_lives_end_with_the_right_credit() -> None:
    wrong = []
    for seed in range(LIVES):
        life, storage = live(seed)
        credit_pico = sum(posting.amount_pico for posting in storage.rows.postings)
        moved_pico = sum(one.amount_pico * (1 if one.to_account == 1 else -1) for one in storage.rows.transfers)
        if not credit_pico == moved_pico == storage.rows.payments[1].credit_pico == life.due_pico():
            wrong.append(seed)
    assert wrong == []


def test_payments_of_random_lives_never_show_an_earlier_state_again() -> None:
    """The credits that were posted are some of those that the life had, in their order."""
    for seed in range(LIVES, LIVES + 500):
        life, storage = live(seed)
        at = 0
        for credit_pico in storage.credits:
            assert credit_pico in life.history[at:], f"life {seed}: {credit_pico // CENT_PICO} cents came out of order"
            at = life.history.index(credit_pico, at)


def test_lives_differ_and_contain_everything() -> None:
    """Else they would prove nothing."""
    lives = [live(seed)[0] for seed in range(200)]
    refunds = [refund for life in lives for refund in life.refunds]
    disputes = [dispute for life in lives for dispute in life.disputes]
    assert any(one.is_void for one in refunds) and any(not one.is_final and not one.is_void for one in refunds)
    assert any(one.reinstated_cents for one in disputes) and any(not one.reinstated_cents for one in disputes)
    assert len({life.due_pico() for life in lives}) > 50 and any(not life.is_paid for life in lives)
