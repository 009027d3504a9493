"""The versions of prices and mark-ups. Rows are added, and never changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from softix_proxy.domain.pricing.prices import MarkupVersion, PriceVersion, Proposal, UnpricedAsks, in_order
from softix_proxy.domain.pricing.rates import PriceSheet
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping, Stored, converted, insert_listed

_SHEET = converted(
    lambda text: PriceSheet.parse(json.loads(text)), lambda sheet: json.dumps(sheet.dump(), separators=(",", ":"))
)
PRICE = RecordMapping(
    PriceVersion, "id", "model_id", "user_id", "source", "starts_at_us", "created_at_us", sheet=_SHEET
)
MARKUP = RecordMapping(
    MarkupVersion,
    "id",
    "scope",
    "subject_id",
    "starts_at_us",
    "created_at_us",
    "fee_pico",
    factor=Stored(
        ("numerator", "denominator"), read=Fraction, write=lambda factor: (factor.numerator, factor.denominator)
    ),
)
_PROPOSAL = RecordMapping(
    Proposal, "id", "model_id", "user_id", "source", "starts_at_us", "created_at_us", sheet=_SHEET
)
_UNPRICED = RecordMapping(UnpricedAsks, "model_id", "asks", "last_asked_at_us")
_ADDED = ("model_id", "user_id", "source", "sheet", "starts_at_us", "created_at_us")
# All versions are added by one statement. Each statement would cost a call to the connection's thread under the write
# lock.
_ADD_ALL = f"{insert_listed('prices', _ADDED)} RETURNING id"
_PROPOSE = f"""
{insert_listed("price_proposals", _ADDED)} WHERE true
ON CONFLICT (model_id, coalesce(user_id, 0), source, coalesce(starts_at_us, 0)) DO UPDATE
SET sheet = excluded.sheet, created_at_us = excluded.created_at_us"""


class SqlitePriceStore:
    """Stores versions of prices and mark-ups."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def add_all(self, versions: Sequence[PriceVersion]) -> Sequence[PriceVersion]:
        rows = [PRICE.row(version, *_ADDED) for version in versions]
        added = sorted(row[0] for row in await self._session.all(_ADD_ALL, json.dumps(rows)))
        return [replace(version, id=number) for version, number in zip(versions, added, strict=True)]

    async def list(self, model_id: int | None = None) -> Sequence[PriceVersion]:
        rows = await self._session.all(
            f"SELECT {PRICE.select()} FROM prices WHERE ?1 IS NULL OR model_id = ?1 ORDER BY id", model_id
        )
        return in_order(PRICE.read_all(rows))

    async def add_markup(self, version: MarkupVersion) -> MarkupVersion:
        added = ("scope", "subject_id", "factor", "starts_at_us", "created_at_us", "fee_pico")
        number = await self._session.insert("markups", MARKUP.row(version, *added))
        return replace(version, id=number)

    async def markups(self) -> Sequence[MarkupVersion]:
        rows = await self._session.all(f"SELECT {MARKUP.select()} FROM markups ORDER BY id")
        return in_order(MARKUP.read_all(rows))

    async def propose(self, proposals: Sequence[Proposal]) -> None:
        rows = [_PROPOSAL.row(proposal, *_ADDED) for proposal in proposals]
        await self._session.run(_PROPOSE, json.dumps(rows))

    async def proposals(self) -> Sequence[Proposal]:
        return _PROPOSAL.read_all(
            await self._session.all(f"SELECT {_PROPOSAL.select()} FROM price_proposals ORDER BY id")
        )

    async def proposal_count(self) -> int:
        [(number,)] = await self._session.all("SELECT count(*) FROM price_proposals")
        return int(number)

    async def withdraw(self, ids: Sequence[int]) -> None:
        await self._session.run(
            "DELETE FROM price_proposals WHERE id IN (SELECT value FROM json_each(?))", json.dumps(list(ids))
        )

    async def unpriced_asks(self) -> Sequence[UnpricedAsks]:
        rows = await self._session.all(f"SELECT {_UNPRICED.select()} FROM unpriced_asks ORDER BY asks DESC, model_id")
        return _UNPRICED.read_all(rows)
