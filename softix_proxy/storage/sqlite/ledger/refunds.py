"""The rows of refunds that were asked for."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.domain.ledger.refunds import RefundRequest, RefundState
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping, converted

_REQUEST = RecordMapping(
    RefundRequest,
    "id",
    "public_id",
    "payment_id",
    "amount_cents",
    "created_at_us",
    "account_id",
    "refund_id",
    "answered_at_us",
    state=converted(RefundState),
)
_CHANGEABLE = ("state", "refund_id", "answered_at_us")


class SqliteRefundRequestStore:
    """Stores requests for refunds."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def add(self, request: RefundRequest) -> RefundRequest:
        values = {name: value for name, value in _REQUEST.row(request).items() if name != "id"}
        number = await self._session.insert("refund_requests", values)
        [row] = await self._session.all(f"SELECT {_REQUEST.select()} FROM refund_requests WHERE id = ?", number)
        return _REQUEST.read(row)

    async def find(self, public_id: str) -> RefundRequest | None:
        row = await self._session.one(f"SELECT {_REQUEST.select()} FROM refund_requests WHERE public_id = ?", public_id)
        return _REQUEST.read(row) if row else None

    async def of_payment(self, payment_id: int) -> Sequence[RefundRequest]:
        rows = await self._session.all(
            f"SELECT {_REQUEST.select()} FROM refund_requests WHERE payment_id = ? ORDER BY id", payment_id
        )
        return _REQUEST.read_all(rows)

    async def list(self, state: RefundState | None, user_id: int | None) -> Sequence[RefundRequest]:
        rows = await self._session.all(
            f"SELECT {_REQUEST.select()} FROM refund_requests WHERE (?1 IS NULL OR state = ?1)"
            " AND (?2 IS NULL OR payment_id IN (SELECT id FROM payments WHERE user_id = ?2)) ORDER BY id",
            state,
            user_id,
        )
        return _REQUEST.read_all(rows)

    async def update(self, request: RefundRequest) -> None:
        await self._session.update("refund_requests", _REQUEST.row(request, *_CHANGEABLE), "id = ?", request.id)
