"""The documents for customers. A number is assigned in the transaction that stores its document."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

import msgspec

from softix_proxy.domain.billing.bill import CorrectionSum, Customer, Payment, StoredDocument, UsageSum
from softix_proxy.domain.core.calendar import Calendar
from softix_proxy.domain.core.errors import ConflictError, NotFoundError
from softix_proxy.domain.core.spans import Span
from softix_proxy.storage.sqlite.billing import bill_sql as sql
from softix_proxy.storage.sqlite.core.database import DatabaseRow, DatabaseSession
from softix_proxy.storage.sqlite.core.engine import IntegrityError
from softix_proxy.storage.sqlite.core.paging import is_before
from softix_proxy.storage.sqlite.core.wide_sums import whole
from softix_proxy.storage.sqlite.metering.usage_sql import CHUNK_END

_SUMMED_AT_ONCE = 20_000
"""The rows that are summed in one call to the database's thread. A longer read would delay the WAL's checkpoint."""
_DIGITS = 5


class SqliteBillStore:
    """Stores invoices and statements, and sums up the usage for them."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def customer(self, user_id: int) -> Customer | None:
        row = await self._session.one("SELECT details FROM customers WHERE user_id = ?", user_id)
        return msgspec.json.decode(row[0], type=Customer) if row else None

    async def set_customer(self, customer: Customer) -> None:
        details = msgspec.json.encode(customer).decode()
        await self._session.run(
            "INSERT OR REPLACE INTO customers (user_id, details) VALUES (?, ?)", customer.user_id, details
        )

    async def usage_sums(self, span: Span, user_id: int | None, steps: Sequence[int]) -> AsyncIterator[UsageSum]:
        climbed = sorted(steps)
        mapping = sql.usage_sum([0, *(step + 1 for step in climbed)])
        async for row in self._portions(sql.usage_sums(climbed), span, user_id):
            yield mapping.read(row)

    async def correction_sums(self, span: Span, user_id: int | None, at: Calendar) -> AsyncIterator[CorrectionSum]:
        [(first, last, corrected_us, until_us)] = await self._session.all(sql.CORRECTED, span.from_us, span.to_us)
        if first is None:
            return
        months = json.dumps(list(at.months(corrected_us, until_us)))
        mapping = sql.correction_sum(at)
        async for row in self._portions(sql.CORRECTION_SUMS, Span(first, last + 1), user_id, months):
            yield mapping.read(row)

    async def _portions(
        self, statement: str, span: Span, user_id: int | None, *more: str
    ) -> AsyncIterator[DatabaseRow]:
        after = span.from_us - 1
        while True:
            last = await self._session.one(CHUNK_END, after, span.to_us, _SUMMED_AT_ONCE)
            if last is None or last[0] is None:
                return
            for row in await self._session.all(statement, after, last[0], user_id, *more):
                yield row
            after = last[0]

    async def payments(self, span: Span, user_id: int | None) -> Sequence[Payment]:
        return sql.PAYMENT.read_all(await self._session.all(sql.PAYMENTS, span.from_us, span.to_us, user_id))

    async def charged_since(self, instant_us: int, user_id: int | None) -> Mapping[int, int]:
        """Sums the rest of the first day row by row, and then whole days by their sums."""
        by = await self._session.calendar()
        next_day = by.day(instant_us - 1) + 1
        charged: Counter[int] = Counter()
        async for row in self._portions(sql.CHARGED_ROWS, Span(instant_us, by.start_us(next_day)), user_id):
            charged[row[0]] += whole(*row[1:])
        for user, *charge in await self._session.all(sql.CHARGED_DAYS, next_day, user_id):
            charged[user] += whole(*charge)
        return charged

    async def add(self, bill: StoredDocument, series: str) -> StoredDocument:
        [(sequence,)] = await self._session.all(sql.NEXT, series)
        document = replace(bill.document, number=f"{series}{sequence:0{_DIGITS}d}")
        numbered = replace(bill, document=document)
        stored = {name: value for name, value in sql.BILL.row(numbered).items() if name != "id"}
        searched = {"number": document.number, "kind": document.kind, "period": document.period}
        try:
            number = await self._session.insert("bills", {"series": series, "sequence": sequence, **searched, **stored})
        except IntegrityError:
            raise ConflictError(f"there is a {document.kind.value} for this already", "see: softix bill list") from None
        return replace(numbered, id=number)

    async def find(self, number: str) -> StoredDocument | None:
        return await self._one("number = ?", number)

    async def get(self, bill_id: int) -> StoredDocument:
        found = await self._one("id = ?", bill_id)
        if found is None:
            raise NotFoundError(f"no bill {bill_id}")
        return found

    async def cancelled_by(self, bill_id: int) -> StoredDocument | None:
        return await self._one("cancels = 1 AND about_id = ?", bill_id)

    async def of_transfer(self, transfer_id: int) -> StoredDocument | None:
        return await self._one("transfer_id = ?", transfer_id)

    async def _one(self, condition: str, value: object) -> StoredDocument | None:
        row = await self._session.one(f"SELECT {sql.BILL.select()} FROM bills WHERE {condition}", value)
        return sql.BILL.read(row) if row else None

    async def list(self, user_id: int | None = None, period: str | None = None) -> Sequence[StoredDocument]:
        return sql.BILL.read_all(await self._session.all(sql.LIST, user_id, period))

    async def page(
        self, user_id: int | None, period: str | None, before_id: int | None, limit: int
    ) -> Sequence[StoredDocument]:
        rows = await self._session.all(
            f"SELECT {sql.BILL.select()} FROM bills WHERE (?1 IS NULL OR user_id = ?1) AND (?2 IS NULL OR period = ?2)"
            f" AND {is_before('?3')} ORDER BY id DESC LIMIT ?4",
            user_id,
            period,
            before_id,
            limit,
        )
        return sql.BILL.read_all(rows)

    async def of_period(self, user_id: int, span: Span) -> Sequence[StoredDocument]:
        return sql.BILL.read_all(await self._session.all(sql.OF_PERIOD, user_id, span.from_us, span.to_us))

    async def receipted(self, transfer_ids: Sequence[int]) -> frozenset[int]:
        statement = "SELECT transfer_id FROM bills WHERE transfer_id IN (SELECT value FROM json_each(?))"
        return frozenset(row[0] for row in await self._session.all(statement, json.dumps(list(transfer_ids))))

    async def carried_pico(self, user_id: int) -> int:
        row = await self._session.one(sql.CARRIED, user_id)
        return int(row[0]) if row else 0
