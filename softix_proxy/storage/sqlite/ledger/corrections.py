"""Corrections are usage rows that say by how much an earlier one was wrong.

Each is one transaction, as all postings.
"""

from __future__ import annotations

from typing import Protocol

from softix_proxy.domain.ledger.ledger import REVENUE, Transfer
from softix_proxy.domain.metering.admission import KeyState
from softix_proxy.domain.metering.usage import Correction
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.metering import budget_sums, cap_sums
from softix_proxy.storage.sqlite.write_path import statements as sql

_COPIED = (
    "usage_at_us, user_id, key_id, provider_id, model_id, model_served, endpoint, stream, service_tier, status_code"
)
_ADD = f"""
INSERT INTO usage (id, request_id, {_COPIED}, price_id, markup_num, markup_den, fee_pico, cost_pico, charge_pico,
  hold_pico, latency_ms, attempts, source, note, corrects_row_id, cost_price_id)
SELECT ?1, ?2, {_COPIED}, ?3, ?4, ?5, ?6, ?7, ?8, 0, 0, 0, 'correction', ?9, id, ?11 FROM usage WHERE id = ?10"""
_LAST_REQUEST = "SELECT coalesce(max(request_id), 0) FROM usage WHERE corrects_row_id IS NOT NULL"
_STATE = f"SELECT {', '.join(sql.KEY_STATE)} FROM key_states WHERE key_id = ?"
_PLACE = "SELECT key_id, provider_id FROM usage WHERE id = ?"


class PostTransfer(Protocol):
    """The ledger's function that posts a transfer."""

    async def __call__(self, transfer: Transfer, number: int | None = None) -> Transfer:
        """Posts a transfer. `number` is a free one, if the posting does not belong to the present."""
        ...


async def post(session: DatabaseSession, post_transfer: PostTransfer, correction: Correction) -> int:
    """Posts a correction, and returns the new row's id. Raises BadInputError if the balance would exceed 64 bits."""
    row = correction.corrects
    number = await _transfer(session, post_transfer, correction)
    [(last_request,)] = await session.all(_LAST_REQUEST)
    await session.run(
        _ADD,
        number,
        max(correction.request_id, last_request + 1),  # another process may have issued the same number
        correction.price_id,
        correction.markup.numerator,
        correction.markup.denominator,
        correction.fee_pico or None,
        correction.cost_pico,
        correction.charge_pico,
        correction.note,
        row.id,
        correction.cost_price_id,
    )
    [(key_id, provider_id)] = await session.all(_PLACE, row.id)
    added = sql.DailySum(
        day=(await session.calendar()).day(number),
        key_id=key_id,
        model_id=row.model_id,
        user_id=row.user_id,
        provider_id=provider_id,
        cost_pico=correction.cost_pico,
        charge_pico=correction.charge_pico,
    )
    await session.run(sql.of(sql.ADD_DAILY, 1), *sql.DAILY.values(added))
    await _adjust_spend(session, key_id, correction)
    await budget_sums.correct(session, key_id, row.id, correction.charge_pico)
    await cap_sums.correct(session, row.user_id, key_id, row.model_id, row.id, correction.charge_pico, row.id)
    return number


async def _transfer(session: DatabaseSession, post_transfer: PostTransfer, correction: Correction) -> int:
    user_id, difference_pico = correction.corrects.user_id, correction.charge_pico
    if not difference_pico:  # only the provider's cost changes
        return await session.next_number()
    from_account, to_account = (user_id, REVENUE) if difference_pico > 0 else (REVENUE, user_id)
    asked = Transfer(
        id=0,
        from_account=from_account,
        to_account=to_account,
        amount_pico=abs(difference_pico),
        kind="correction",
        note=correction.note,
    )
    return (await post_transfer(asked)).id


async def _adjust_spend(session: DatabaseSession, key_id: int, correction: Correction) -> None:
    now_us = session.clock.now_us()
    today = (await session.calendar()).at(now_us)
    columns = await session.one(_STATE, key_id)
    state = KeyState(*columns) if columns else KeyState()
    state.come_back(now_us)
    state.correct(correction.charge_pico, correction.corrects.id, now_us, today)
    await session.run(sql.of(sql.SAVE_KEY_STATES, 1), key_id, *sql.KEY.values(state))
