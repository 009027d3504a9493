"""Versions of prices and mark-ups: rows are added, never changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from softix_proxy.domain.prices import MarkupVersion, PriceVersion, Proposal, UnpricedAsks, in_order
from softix_proxy.domain.pricing import Sheet
from softix_proxy.storage.database import DatabaseSession
from softix_proxy.storage.directory import MARKUP, PRICE, to_markup, to_price

# One statement however many versions: each would cost a hop to the connection's thread under the write lock.
_ADD_ALL = """
INSERT INTO prices (model_id, user_id, source, sheet, starts_at_us, created_at_us)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each(?)
RETURNING id"""

_PROPOSE = """
INSERT INTO price_proposals (model_id, user_id, source, sheet, starts_at_us, created_at_us)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each(?) WHERE true
ON CONFLICT (model_id, coalesce(user_id, 0), source, coalesce(starts_at_us, 0)) DO UPDATE
SET sheet = excluded.sheet, created_at_us = excluded.created_at_us"""


class SqlitePriceStore:
    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def add_all(self, versions: Sequence[PriceVersion]) -> Sequence[PriceVersion]:
        rows = [
            (
                version.model_id,
                version.user_id,
                version.source,
                json.dumps(version.sheet.dump(), separators=(",", ":")),
                version.starts_at_us,
                version.created_at_us,
            )
            for version in versions
        ]
        added = sorted(row[0] for row in await self._session.all(_ADD_ALL, json.dumps(rows)))
        return [replace(version, id=number) for version, number in zip(versions, added, strict=True)]

    async def list(self, model_id: int | None = None) -> Sequence[PriceVersion]:
        rows = await self._session.all(
            f"SELECT {PRICE} FROM prices WHERE ?1 IS NULL OR model_id = ?1 ORDER BY id", model_id
        )
        return in_order(map(to_price, rows))

    async def add_markup(self, version: MarkupVersion) -> MarkupVersion:
        number = await self._session.run(
            "INSERT INTO markups (scope, subject_id, numerator, denominator, starts_at_us, created_at_us, fee_pico)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            version.scope,
            version.subject_id,
            version.factor.numerator,
            version.factor.denominator,
            version.starts_at_us,
            version.created_at_us,
            version.fee_pico,
        )
        return replace(version, id=number)

    async def markups(self) -> Sequence[MarkupVersion]:
        return in_order(to_markup(row) for row in await self._session.all(f"SELECT {MARKUP} FROM markups ORDER BY id"))

    async def propose(self, proposals: Sequence[Proposal]) -> None:
        rows = [
            (
                proposal.model_id,
                proposal.user_id,
                proposal.source,
                json.dumps(proposal.sheet.dump(), separators=(",", ":")),
                proposal.starts_at_us,
                proposal.created_at_us,
            )
            for proposal in proposals
        ]
        await self._session.run(_PROPOSE, json.dumps(rows))

    async def proposals(self) -> Sequence[Proposal]:
        rows = await self._session.all(f"SELECT {PRICE} FROM price_proposals ORDER BY id")
        return [
            Proposal(number, model_id, user_id, source, Sheet.parse(json.loads(sheet)), starts, created)
            for number, model_id, user_id, source, sheet, starts, created in rows
        ]

    async def withdraw(self, ids: Sequence[int]) -> None:
        await self._session.run(
            "DELETE FROM price_proposals WHERE id IN (SELECT value FROM json_each(?))", json.dumps(list(ids))
        )

    async def unpriced_asks(self) -> Sequence[UnpricedAsks]:
        rows = await self._session.all(
            "SELECT model_id, asks, last_asked_at_us FROM unpriced_asks ORDER BY asks DESC, model_id"
        )
        return [UnpricedAsks(*row) for row in rows]
