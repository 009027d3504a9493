"""What an operator can do about a charge that was wrong: post the difference. What is posted stays as it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from fractions import Fraction

from softix_proxy.domain.directory import Directory
from softix_proxy.domain.errors import BadInputError, ConflictError
from softix_proxy.domain.ids import CORRECTIONS_SLOT, RequestIds
from softix_proxy.domain.ports import Storage, Unit
from softix_proxy.domain.pricing import STANDARD
from softix_proxy.domain.usage import Correction, Source, Span, UsageFilter, UsageRow
from softix_proxy.operations import models, usage, users

_MAX_NOTE = 200
_AT_ONCE = 10
"""Rows that one transaction corrects: the write lock is the hot path's."""


@dataclass(frozen=True, slots=True)
class Corrected:
    row: UsageRow
    """The original."""
    before_pico: int
    """Its charge with all corrections so far."""
    after_pico: int
    correction: UsageRow | None
    """None where nothing was wrong, or nothing was to be posted yet."""


@dataclass(frozen=True, slots=True)
class _Right:
    """What the row should have said."""

    cost_pico: int
    charge_pico: int
    price_id: int | None
    markup: Fraction
    fee_pico: int


class Corrections:
    """For one run of a command: the request ids that it gives out are its own."""

    def __init__(self, storage: Storage, note: str) -> None:
        """Raises BadInputError for a note that is not a line of text."""
        if not (0 < len(note) <= _MAX_NOTE and note.isprintable()):
            raise BadInputError("a note is one line of 1 to 200 characters", "say why the charge was wrong: --note")
        self._storage = storage
        self._note = note
        self._ids = RequestIds(CORRECTIONS_SLOT)

    async def set_charge(self, reference: str, charge_pico: int) -> Corrected:
        """Of one request. Raises BadInputError, NotFoundError, ConflictError."""
        if charge_pico < 0:
            raise BadInputError("a charge is not negative", "0.00 takes all of it back")
        row = (await usage.explain(self._storage, reference)).row
        right = _Right(row.cost_pico, charge_pico, row.price_id, row.markup, row.fee_pico)
        async with self._storage.writing() as unit:
            return await self._post(unit, row, right)

    async def reprice(self, reference: str) -> Corrected:
        """Of one request, at the price and mark-up that apply now. Raises as `set_charge`."""
        row = (await usage.explain(self._storage, reference)).row
        async with self._storage.writing() as unit:
            right = await _right(unit, await models.priced_directory(unit, row.model_id), row, unit.clock.now_us())
            return await self._post(unit, row, right)

    async def reprice_all(self, model: str, span: Span, user: str | None, *, dry: bool) -> AsyncIterator[Corrected]:
        """Every charged request of a model in a period; `dry` posts nothing. Raises NotFoundError, ConflictError."""
        reading = self._storage.reading()
        found = await models.find(reading, model)
        user_id = (await users.find(reading, user)).id if user is not None else None
        wanted = UsageFilter(span=span, user_id=user_id, model_ids=(found.id,))
        directory, now_us = await models.priced_directory(reading, found.id), reading.clock.now_us()
        after = 0
        while rows := await reading.usage.after(wanted, after, _AT_ONCE):
            after = rows[-1].id
            rights = [(row, await _right(reading, directory, row, now_us)) for row in rows if _charged(row)]
            if dry:
                for row, right in rights:
                    yield Corrected(row, await _charged_pico(reading, row), right.charge_pico, None)
                continue
            async with self._storage.writing() as unit:
                posted = [await self._post(unit, row, right) for row, right in rights]
            for corrected in posted:
                yield corrected

    async def _post(self, unit: Unit, row: UsageRow, right: _Right) -> Corrected:
        if row.source is Source.CORRECTION:
            raise BadInputError("a correction is not corrected", "correct the request that it is of")
        before = await unit.usage.corrections(row.id)
        cost_pico = right.cost_pico - row.cost_pico - sum(one.cost_pico for one in before)
        charged_pico = row.charge_pico + sum(one.charge_pico for one in before)
        difference_pico = right.charge_pico - charged_pico
        if not (cost_pico or difference_pico):
            return Corrected(row, charged_pico, right.charge_pico, None)
        await _require_funds(unit, row, difference_pico)
        asked = Correction(
            corrects=row,
            request_id=self._ids.next(unit.clock.now_us()),
            cost_pico=cost_pico,
            charge_pico=difference_pico,
            price_id=right.price_id,
            markup=right.markup,
            fee_pico=right.fee_pico,
            note=self._note,
        )
        return Corrected(row, charged_pico, right.charge_pico, await unit.usage.correct(asked))


def _charged(row: UsageRow) -> bool:
    """Whether a price has anything to say about it."""
    return bool(row.meters) and row.source is not Source.CORRECTION


async def _charged_pico(unit: Unit, row: UsageRow) -> int:
    return row.charge_pico + sum(one.charge_pico for one in await unit.usage.corrections(row.id))


async def _right(unit: Unit, directory: Directory, row: UsageRow, now_us: int) -> _Right:
    """What is charged for attempts that failed before stays as it is."""
    rate = directory.rate(row.user_id, row.model_id, now_us)
    if rate is None:
        raise ConflictError(f"{row.provider}/{row.model} has no price", "softix prices set MODEL --input … --output …")
    cost_pico, charge_pico, _ = rate.price(row.meters, row.service_tier or STANDARD)
    failed = await unit.usage.attempts_of(row.id) if row.attempts > 1 else ()
    charge_pico += sum(attempt.charge_pico for attempt in failed)
    return _Right(cost_pico, charge_pico, rate.price_id, rate.markup, rate.request_fee_pico)


async def _require_funds(unit: Unit, row: UsageRow, difference_pico: int) -> None:
    """A prepaid balance is not overspent by a correction either."""
    owner = await unit.users.get(row.user_id)
    if difference_pico <= 0 or owner.postpaid:
        return
    wallet = await unit.balance.get(row.user_id)
    if difference_pico > wallet.posted_pico - wallet.held_pico + wallet.credit_pico:
        raise ConflictError(
            f"the balance of {owner.name} does not cover the correction",
            f"softix balance add {owner.name} AMOUNT, or softix balance credit-limit {owner.name} AMOUNT",
        )
