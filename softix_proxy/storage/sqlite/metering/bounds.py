"""The rows of bounds that were exceeded. The write path adds them."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.domain.metering.bounds import FACTOR_ONE, WidenedBound, Widening
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping

WIDENED_BOUND = RecordMapping(
    WidenedBound,
    "id",
    "model_id",
    "member",
    "times",
    "missing_pico",
    "uncharged_pico",
    "first_at_us",
    "last_at_us",
    "last_request_id",
    widening=RecordMapping(Widening, "excess_pico", "factor_permille", "dearest_pico"),
)
_NOTHING = {"excess_pico": 0, "factor_permille": FACTOR_ONE, "dearest_pico": 0}


class SqliteBoundStore:
    """Stores bounds that were exceeded."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def list(self) -> Sequence[WidenedBound]:
        rows = await self._session.all(
            f"SELECT {WIDENED_BOUND.select()} FROM widened_bounds ORDER BY last_at_us DESC, id"
        )
        return WIDENED_BOUND.read_all(rows)

    async def reset(self, bound_id: int) -> None:
        await self._session.update("widened_bounds", _NOTHING, "id = ?", bound_id)
