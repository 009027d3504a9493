"""What happens at the fake Stripe: its objects, and what people, banks and operators do to them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any

from softix_proxy.domain.core.clock import SECOND_US, SystemClock

Thing = dict[str, Any]


class ApiProblemError(Exception):
    def __init__(self, status: int, error: Thing) -> None:
        super().__init__(error.get("code"))
        self.status, self.error = status, error


class StripeAccount:
    """The objects by their ids. Each change makes the events that Stripe makes."""

    def __init__(self, *, is_live: bool, now_s: Callable[[], int] | None = None) -> None:
        self.is_live = is_live
        self.things: dict[str, Thing] = {}
        self.events: list[Thing] = []
        self.charges_made = 0
        self.now_s: Callable[[], int] = now_s or (lambda: SystemClock().now_us() // SECOND_US)
        self._made = 0

    def make(self, prefix: str, kind: str, **values: Any) -> Thing:
        self._made += 1
        made = {
            "id": f"{prefix}_{self._made:06d}{secrets.token_hex(6)}",
            "object": kind,
            "created": self.now_s(),
            "livemode": self.is_live,
            "order": self._made,
            **values,
        }
        self.things[made["id"]] = made
        return made

    def of(self, kind: str, **wanted: Any) -> list[Thing]:
        """The objects of a kind that have these values, the newest first."""
        found = [one for one in self.things.values() if one["object"] == kind]
        found = [one for one in found if all(one.get(name) == value for name, value in wanted.items())]
        return sorted(found, key=lambda one: -int(one["order"]))

    def happen(self, kind: str, about: Thing) -> Thing:
        event = self.make("evt", "event", type=kind, data={"object": copied(about)}, api_version="2026-10-28.endive")
        self.events.append(event)
        return event

    def pay(self, session_id: str, *, delayed: bool = False, currency: str | None = None, saves: bool = True) -> Thing:
        """A person pays on the page. `delayed` is a bank transfer: the page is complete, and the money is not there."""
        session = self.things[session_id]
        if session["status"] != "open":
            raise AssertionError(f"the page is {session['status']}")
        data = session["payment_intent_data"]
        intent = self.make(
            "pi",
            "payment_intent",
            amount=session["amount_total"],
            amount_received=0,
            currency=currency or session["currency"],
            customer=session["customer"],
            status="processing",
            metadata=dict(data.get("metadata") or {}),
            last_payment_error=None,
            latest_charge=None,
        )
        if saves and data.get("setup_future_usage") == "off_session":
            self.add_method(session["customer"])
        session.update(status="complete", payment_status="unpaid", payment_intent=intent["id"])
        session["currency"] = intent["currency"]
        if delayed:
            self.happen("checkout.session.completed", session)
        else:
            self._receive(intent)
            session["payment_status"] = "paid"
            self.happen("checkout.session.completed", session)
        return intent

    def arrive(self, session_id: str) -> None:
        """The money of a delayed payment arrives."""
        session = self.things[session_id]
        self._receive(self.things[session["payment_intent"]])
        session["payment_status"] = "paid"
        self.happen("checkout.session.async_payment_succeeded", session)

    def bounce(self, session_id: str) -> None:
        """The money of a delayed payment does not arrive."""
        session = self.things[session_id]
        intent = self.things[session["payment_intent"]]
        intent.update(status="requires_payment_method", last_payment_error={"code": "insufficient_funds"})
        self.happen("checkout.session.async_payment_failed", session)

    def decline_on_page(self, session_id: str) -> None:
        """A card is declined. The page stays open for another one."""
        session = self.things[session_id]
        intent = self.make(
            "pi",
            "payment_intent",
            amount=session["amount_total"],
            amount_received=0,
            currency=session["currency"],
            customer=session["customer"],
            status="requires_payment_method",
            metadata=dict(session["payment_intent_data"].get("metadata") or {}),
            last_payment_error={"code": "card_declined", "decline_code": "generic_decline"},
            latest_charge=None,
        )
        self.happen("payment_intent.payment_failed", intent)

    def expire(self, session_id: str) -> None:
        self.things[session_id]["status"] = "expired"
        self.happen("checkout.session.expired", self.things[session_id])

    def _receive(self, intent: Thing) -> None:
        self.charges_made += 1
        charge = self.make(
            "ch",
            "charge",
            amount=intent["amount"],
            currency=intent["currency"],
            payment_intent=intent["id"],
            metadata=dict(intent["metadata"]),
            status="succeeded",
        )
        intent.update(
            status="succeeded", amount_received=intent["amount"], latest_charge=charge["id"], last_payment_error=None
        )
        self.happen("payment_intent.succeeded", intent)

    def send_back(self, intent_id: str, cents: int, *, status: str = "succeeded", metadata: Any = None) -> Thing:
        """A refund, as the dashboard or the API makes it."""
        intent = self.things[intent_id]
        gone = sum(
            one["amount"]
            for one in self.of("refund", payment_intent=intent_id)
            if one["status"] not in ("failed", "canceled")
        )
        if not 0 < cents <= intent["amount_received"] - gone:
            raise ApiProblemError(400, {"type": "invalid_request_error", "code": "charge_already_refunded"})
        refund = self.make(
            "re",
            "refund",
            amount=cents,
            currency=intent["currency"],
            payment_intent=intent_id,
            charge=intent["latest_charge"],
            status=status,
            metadata=dict(metadata or {}),
        )
        self.happen("refund.created", refund)
        self.happen("charge.refunded", self.things[intent["latest_charge"]])
        return refund

    def turn_refund(self, refund_id: str, status: str) -> None:
        """A waiting refund goes on: `succeeded`, `failed` or `canceled`."""
        self.things[refund_id]["status"] = status
        self.happen("refund.failed" if status == "failed" else "refund.updated", self.things[refund_id])

    def dispute(self, intent_id: str, cents: int | None = None, *, inquiry: bool = False) -> Thing:
        """A bank takes the money back. An inquiry only asks."""
        intent = self.things[intent_id]
        cents = intent["amount_received"] if cents is None else cents
        dispute = self.make(
            "du",
            "dispute",
            amount=cents,
            currency=intent["currency"],
            payment_intent=intent_id,
            charge=intent["latest_charge"],
            status="warning_needs_response" if inquiry else "needs_response",
            balance_transactions=[],
        )
        self.happen("charge.dispute.created", dispute)
        if not inquiry:
            self._move(dispute, -cents, fee=1500)
            self.happen("charge.dispute.funds_withdrawn", dispute)
        return dispute

    def close_dispute(self, dispute_id: str, *, won: bool) -> None:
        dispute = self.things[dispute_id]
        dispute["status"] = "won" if won else "lost"
        if won:
            self._move(dispute, dispute["amount"], fee=0)
            self.happen("charge.dispute.funds_reinstated", dispute)
        self.happen("charge.dispute.closed", dispute)

    def _move(self, dispute: Thing, cents: int, *, fee: int) -> None:
        moved = {"id": f"txn_{secrets.token_hex(8)}", "object": "balance_transaction", "type": "adjustment"}
        moved |= {"amount": cents, "fee": fee, "net": cents - fee, "currency": dispute["currency"]}
        dispute["balance_transactions"].append(moved)

    def add_method(self, customer_id: str, behaviour: str = "works") -> Thing:
        """A saved card: `works`, `declined` or `asks` (for the person)."""
        return self.make("pm", "payment_method", customer=customer_id, type="card", behaviour=behaviour)


def copied(thing: Thing) -> Thing:
    made: Thing = json.loads(json.dumps(thing))
    return made
