"""The payments, their transfers, the events that were seen, and the provider's ids of customers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property

from softix_proxy.domain.core.errors import ConflictError, NotFoundError
from softix_proxy.domain.ledger.payments import OnlinePayment, PaymentKind, PaymentPosting, PaymentState, PostingCause
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.engine import IntegrityError
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping, converted
from softix_proxy.storage.sqlite.ledger.auto_top_ups import SqliteAutoTopUpStore
from softix_proxy.storage.sqlite.ledger.refunds import SqliteRefundRequestStore

_PAYMENT = RecordMapping(
    OnlinePayment,
    "id",
    "public_id",
    "user_id",
    "asked_cents",
    "asked_tax_cents",
    "created_at_us",
    "account_id",
    "session_id",
    "intent_id",
    "paid_cents",
    "tax_cents",
    "refunded_cents",
    "disputed_cents",
    "held_cents",
    "credit_pico",
    "posted_fetch",
    "changed_fetch",
    "failure",
    "changed_at_us",
    kind=converted(PaymentKind),
    state=converted(PaymentState),
    is_live=converted(bool),
)
_POSTING = RecordMapping(
    PaymentPosting, "transfer_id", "payment_id", "amount_pico", "gross_cents", "fetch", cause=converted(PostingCause)
)
_UNDOCUMENTED = """EXISTS (
  SELECT 1 FROM payment_postings AS posted
  WHERE posted.payment_id = payments.id AND posted.cause <> 'hold'
    AND NOT EXISTS (SELECT 1 FROM bills WHERE bills.transfer_id = posted.transfer_id)
    AND (posted.cause = 'payment' OR EXISTS (
      SELECT 1 FROM payment_postings AS first JOIN bills ON bills.transfer_id = first.transfer_id
      WHERE first.payment_id = payments.id AND first.cause = 'payment'
    ))
)"""
_CHANGEABLE = (
    "state",
    "session_id",
    "intent_id",
    "paid_cents",
    "tax_cents",
    "refunded_cents",
    "disputed_cents",
    "held_cents",
    "credit_pico",
    "posted_fetch",
    "changed_fetch",
    "failure",
    "changed_at_us",
)


class SqlitePaymentStore:
    """Stores payments."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    @cached_property
    def refunds(self) -> SqliteRefundRequestStore:
        return SqliteRefundRequestStore(self._session)

    @cached_property
    def auto_top_ups(self) -> SqliteAutoTopUpStore:
        return SqliteAutoTopUpStore(self._session)

    async def add(self, payment: OnlinePayment) -> OnlinePayment:
        values = {name: value for name, value in _PAYMENT.row(payment).items() if name != "id"}
        try:
            number = await self._session.insert("payments", values)
        except IntegrityError:
            raise ConflictError(
                "an automatic payment of this user is not finished", "see: softix payments list"
            ) from None
        return await self.get(number)

    async def get(self, payment_id: int) -> OnlinePayment:
        found = await self._one("id = ?", payment_id)
        if found is None:
            raise NotFoundError(f"no payment with the number {payment_id}")
        return found

    async def find(self, public_id: str) -> OnlinePayment | None:
        return await self._one("public_id = ?", public_id)

    async def by_session(self, session_id: str) -> OnlinePayment | None:
        return await self._one("session_id = ?", session_id)

    async def by_intent(self, intent_id: str) -> OnlinePayment | None:
        return await self._one("intent_id = ?", intent_id)

    async def _one(self, condition: str, value: object) -> OnlinePayment | None:
        row = await self._session.one(f"SELECT {_PAYMENT.select()} FROM payments WHERE {condition}", value)
        return _PAYMENT.read(row) if row else None

    async def list(self, user_id: int | None, limit: int) -> Sequence[OnlinePayment]:
        rows = await self._session.all(
            f"SELECT {_PAYMENT.select()} FROM payments WHERE ?1 IS NULL OR user_id = ?1 ORDER BY id DESC LIMIT ?2",
            user_id,
            limit,
        )
        return _PAYMENT.read_all(rows)

    async def unfinished(self) -> Sequence[OnlinePayment]:
        rows = await self._session.all(
            f"SELECT {_PAYMENT.select()} FROM payments WHERE state IN ('open', 'processing') ORDER BY id"
        )
        return _PAYMENT.read_all(rows)

    async def first_begun_us(self) -> int | None:
        row = await self._session.one("SELECT created_at_us FROM payments ORDER BY id LIMIT 1")
        return int(row[0]) if row else None

    async def update(self, payment: OnlinePayment) -> None:
        await self._session.update("payments", _PAYMENT.row(payment, *_CHANGEABLE), "id = ?", payment.id)

    async def number_fetch(self, payment_id: int) -> int:
        await self._session.run("UPDATE payments SET fetches = fetches + 1 WHERE id = ?", payment_id)
        row = await self._session.one("SELECT fetches FROM payments WHERE id = ?", payment_id)
        if row is None:
            raise NotFoundError(f"no payment with the number {payment_id}")
        return int(row[0])

    async def posted(self, payment_id: int) -> Sequence[PaymentPosting]:
        rows = await self._session.all(
            f"SELECT {_POSTING.select()} FROM payment_postings WHERE payment_id = ? ORDER BY transfer_id", payment_id
        )
        return _POSTING.read_all(rows)

    async def posted_between(self, from_us: int, to_us: int) -> Sequence[tuple[OnlinePayment, PaymentPosting]]:
        rows = await self._session.all(
            f"SELECT {_PAYMENT.select()}, {_POSTING.select()} FROM payment_postings"
            " JOIN payments ON payments.id = payment_id"
            " WHERE transfer_id >= ? AND transfer_id < ? ORDER BY payment_id DESC, transfer_id",
            from_us,
            to_us,
        )
        after = len(_PAYMENT.columns)
        return [(_PAYMENT.read(row), _POSTING.read(row[after:])) for row in rows]

    async def undocumented(self, user_id: int | None, limit: int) -> Sequence[OnlinePayment]:
        owned = "TRUE" if user_id is None else "user_id = ?2"
        values = (limit,) if user_id is None else (limit, user_id)
        rows = await self._session.all(
            f"SELECT {_PAYMENT.select()} FROM payments WHERE {owned} AND {_UNDOCUMENTED} ORDER BY id LIMIT ?1", *values
        )
        return _PAYMENT.read_all(rows)

    async def record(self, posting: PaymentPosting) -> None:
        await self._session.insert("payment_postings", _POSTING.row(posting))

    async def of_transfers(self, transfer_ids: Sequence[int]) -> Mapping[int, PaymentPosting]:
        rows = await self._session.all(
            f"SELECT {_POSTING.select()} FROM payment_postings WHERE transfer_id IN (SELECT value FROM json_each(?))",
            json.dumps(list(transfer_ids)),
        )
        return {posting.transfer_id: posting for posting in _POSTING.read_all(rows)}

    async def is_seen(self, event_id: str) -> bool:
        return await self._session.one("SELECT 1 FROM stripe_events WHERE id = ?", event_id) is not None

    async def see(self, event_id: str, payment_id: int | None, now_us: int) -> None:
        await self._session.run(
            "INSERT OR IGNORE INTO stripe_events (id, payment_id, seen_at_us) VALUES (?, ?, ?)",
            event_id,
            payment_id,
            now_us,
        )

    async def last_seen_us(self) -> int:
        [(seen_us,)] = await self._session.all("SELECT coalesce(max(seen_at_us), 0) FROM stripe_events")
        return int(seen_us)

    async def forget_events(self, before_us: int) -> int:
        return await self._session.run("DELETE FROM stripe_events WHERE seen_at_us < ?", before_us)

    async def claim_customer(self, user_id: int, is_live: bool, claim: str, now_us: int) -> tuple[str, str | None]:
        await self._session.run(
            "INSERT OR IGNORE INTO stripe_customers (user_id, is_live, claim, claimed_at_us) VALUES (?, ?, ?, ?)",
            user_id,
            int(is_live),
            claim,
            now_us,
        )
        [(first, customer_id)] = await self._session.all(
            "SELECT claim, customer_id FROM stripe_customers WHERE user_id = ? AND is_live = ?", user_id, int(is_live)
        )
        return first, customer_id

    async def set_customer(self, user_id: int, is_live: bool, customer_id: str) -> str:
        await self._session.run(
            "UPDATE stripe_customers SET customer_id = coalesce(customer_id, ?) WHERE user_id = ? AND is_live = ?",
            customer_id,
            user_id,
            int(is_live),
        )
        return await self.customer(user_id, is_live) or customer_id

    async def forget_customer(self, user_id: int, is_live: bool, customer_id: str) -> None:
        await self._session.run(
            "DELETE FROM stripe_customers WHERE user_id = ? AND is_live = ? AND customer_id = ?",
            user_id,
            int(is_live),
            customer_id,
        )

    async def forget_customers(self, is_live: bool) -> None:
        await self._session.run("DELETE FROM stripe_customers WHERE is_live = ?", int(is_live))

    async def customer(self, user_id: int, is_live: bool) -> str | None:
        row = await self._session.one(
            "SELECT customer_id FROM stripe_customers WHERE user_id = ? AND is_live = ?", user_id, int(is_live)
        )
        return row[0] if row else None

    async def automatic_cents(self, user_id: int, since_us: int) -> int:
        [(cents,)] = await self._session.all(
            "SELECT coalesce(sum(asked_cents), 0) FROM payments"
            " WHERE user_id = ? AND kind = 'automatic' AND created_at_us >= ?"
            " AND state IN ('open', 'processing', 'paid', 'refused')",
            user_id,
            since_us,
        )
        return int(cents)

    async def adjusted_pico(self, user_id: int) -> int:
        rows = await self._session.all(
            "SELECT iif(to_account = ?1, amount_pico, -amount_pico) FROM transfers"
            " WHERE kind <> 'charge' AND kind = 'adjustment' AND ?1 IN (from_account, to_account)"
            " AND id NOT IN (SELECT transfer_id FROM payment_postings WHERE cause = 'hold')",
            user_id,
        )
        return sum(int(row[0]) for row in rows)  # the sum of several may exceed SQLite's 64 bits
