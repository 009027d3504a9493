"""What an operator can do about a charge or a cost that was wrong: post the difference. What is posted stays."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from softix_proxy.domain.core.errors import BadInputError, ConflictError
from softix_proxy.domain.core.ids import CORRECTIONS_SLOT, RequestIds
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.ledger.redating import REDATED
from softix_proxy.domain.metering.usage import Correction, UsageFilter, UsageRow, UsageSource
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.pricing.price_changes import remedy
from softix_proxy.domain.pricing.rates import STANDARD
from softix_proxy.domain.routing.directory import Directory
from softix_proxy.operations.access import users
from softix_proxy.operations.catalog import models
from softix_proxy.operations.metering import usage

_MAX_NOTE = 200
_AT_ONCE = 10
"""Rows that one transaction corrects: the write lock is the hot path's."""
_SCANNED_AT_ONCE = 500
"""Rows that are read to see which of them are wrong."""


@dataclass(frozen=True, slots=True)
class CorrectedRequest:
    row: UsageRow
    """The original."""
    before_pico: int
    """Its charge with all corrections so far."""
    after_pico: int
    correction: UsageRow | None
    """None where nothing was wrong, or nothing was to be posted yet."""
    cost_before_pico: int
    """What the provider asks, with all corrections so far."""
    cost_after_pico: int


@dataclass(frozen=True, slots=True)
class _Right:
    """What the row should have said."""

    cost_pico: int | None
    """None: as it stands."""
    charge_pico: int | None
    price_id: int | None
    markup: Fraction
    fee_pico: int
    cost_price_id: int | None
    """As `UsageRow.cost_price_id`."""


class Corrections:
    """For one run of a command: the request ids that it gives out are its own."""

    def __init__(self, storage: Storage, note: str) -> None:
        """Raises BadInputError for a note that is not a line of text."""
        if not (0 < len(note) <= _MAX_NOTE and note.isprintable()):
            raise BadInputError("a note is one line of 1 to 200 characters", "say why the charge was wrong: --note")
        self._storage = storage
        self._note = note
        self._ids = RequestIds(CORRECTIONS_SLOT)

    async def set_charge(self, reference: str, charge_pico: int) -> CorrectedRequest:
        """Of one request. Raises BadInputError, NotFoundError, ConflictError."""
        if charge_pico < 0:
            raise BadInputError("a charge is not negative", "0.00 takes all of it back")
        row = (await usage.explain(self._storage, reference)).row
        async with self._storage.writing() as unit:
            latest = _last_word(row, await unit.usage.corrections(row.id))
            costs = _other_than(row.price_id, cost_version(latest))
            right = _Right(None, charge_pico, row.price_id, row.markup, row.fee_pico, costs)
            return await self._post(unit, row, right)

    async def reprice(self, reference: str) -> CorrectedRequest:
        """Of one request, at the price and mark-up that apply now. Raises as `set_charge`."""
        row = (await usage.explain(self._storage, reference)).row
        async with self._storage.writing() as unit:
            right = await _right(unit, await models.priced_directory(unit, row.model_id), row, unit.clock.now_us())
            return await self._post(unit, row, right)

    async def reprice_all(
        self, model: str, span: Span, user: str | None, *, dry: bool
    ) -> AsyncIterator[CorrectedRequest]:
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
            for corrected in await self._correct(rights, dry=dry):
                yield corrected

    async def recost(
        self, model: str | None, span: Span, user: str | None, *, current: bool, dry: bool
    ) -> AsyncIterator[CorrectedRequest | UsageRow]:
        """What the provider asks, of requests and corrections of that time that took it from a customer's own price.

        By the operator's or catalogue's price of when each was made; with `current` of every request, by that of now.
        A row by itself is one whose cost nobody knows, because only the customer has a price. `dry` posts nothing.
        Raises NotFoundError.
        """
        reading = self._storage.reading()
        model_ids = await usage.model_ids(reading, model) if model is not None else None
        user_id = (await users.find(reading, user)).id if user is not None else None
        wanted = UsageFilter(span=span, user_id=user_id, model_ids=model_ids)
        costs, after = await ProviderCosts.read(reading, current=current), 0
        while rows := await reading.usage.after(wanted, after, _SCANNED_AT_ONCE):
            after, rights = rows[-1].id, []
            for row in await _requests(reading, [row for row in rows if costs.concern(row)]):
                right = costs.right(row, await reading.usage.corrections(row.id))
                if right is not None:
                    rights.append((row, right))
                else:
                    yield row
            for start in range(0, len(rights), _AT_ONCE):
                for corrected in await self._correct(rights[start : start + _AT_ONCE], dry=dry):
                    yield corrected

    async def _correct(self, rights: Sequence[tuple[UsageRow, _Right]], *, dry: bool) -> Sequence[CorrectedRequest]:
        if dry:
            reading = self._storage.reading()
            return [await _difference(reading, row, right) for row, right in rights]
        async with self._storage.writing() as unit:
            return [await self._post(unit, row, right) for row, right in rights]

    async def _post(self, unit: Unit, row: UsageRow, right: _Right) -> CorrectedRequest:
        if row.source is UsageSource.CORRECTION:
            raise BadInputError("a correction is not corrected", "correct the request that it is of")
        corrected = await _difference(unit, row, right)
        cost_pico = corrected.cost_after_pico - corrected.cost_before_pico
        difference_pico = corrected.after_pico - corrected.before_pico
        if not (cost_pico or difference_pico):
            return corrected
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
            cost_price_id=right.cost_price_id,
        )
        return replace(corrected, correction=await unit.ledger.correct(asked))


async def _difference(unit: Unit, row: UsageRow, right: _Right) -> CorrectedRequest:
    stands = [row, *await unit.usage.corrections(row.id)]
    cost_pico, charge_pico = sum(one.cost_pico for one in stands), sum(one.charge_pico for one in stands)
    return CorrectedRequest(
        row=row,
        before_pico=charge_pico,
        after_pico=charge_pico if right.charge_pico is None else right.charge_pico,
        correction=None,
        cost_before_pico=cost_pico,
        cost_after_pico=cost_pico if right.cost_pico is None else right.cost_pico,
    )


def _last_word(row: UsageRow, corrections: Sequence[UsageRow]) -> UsageRow:
    """By whose prices the request stands; to be booked on another day changes none of them."""
    return next((one for one in reversed(corrections) if not (one.note or "").startswith(REDATED)), row)


def cost_version(row: UsageRow) -> int:
    """The price version that the row's cost is by; 0 where none was known."""
    return (row.price_id or 0) if row.cost_price_id is None else row.cost_price_id


def _other_than(price_id: int | None, costs: int) -> int | None:
    return None if costs == price_id else costs


@dataclass(frozen=True, slots=True)
class ProviderCosts:
    """What providers ask, as the operator's and the catalogue's prices tell it."""

    directory: Directory
    customers: frozenset[int]
    """Price versions that are a customer's own."""
    at_us: int | None
    """None: when each request was made."""

    @classmethod
    async def read(cls, unit: Unit, *, current: bool) -> ProviderCosts:
        versions = await unit.prices.list()
        own = frozenset(version.id for version in versions if version.source == "customer")
        return cls(await models.priced_directory(unit), own, unit.clock.now_us() if current else None)

    def concern(self, row: UsageRow) -> bool:
        if self.at_us is not None:
            return _charged(row)
        return cost_version(row) in self.customers and (bool(row.meters) or row.source is UsageSource.CORRECTION)

    def right(self, row: UsageRow, corrections: Sequence[UsageRow]) -> _Right | None:
        """None where nobody knows what the provider asks. The charge stays as it is, with what explains it."""
        latest = _last_word(row, corrections)
        if self.at_us is not None:
            rate = self.directory.rate(models.NOBODY, row.model_id, self.at_us)
        else:
            repriced_us = latest.id if latest.price_id != row.price_id else row.usage_at_us
            rate = self.directory.rate_then(models.NOBODY, row.model_id, repriced_us)
        if rate is None:
            return None
        cost_pico = rate.price(row.meters, row.service_tier or STANDARD).cost_pico
        costs = _other_than(latest.price_id, rate.price_id)
        return _Right(cost_pico, None, latest.price_id, latest.markup, latest.fee_pico, costs)


async def _requests(unit: Unit, rows: Sequence[UsageRow]) -> Sequence[UsageRow]:
    """Each once; for a correction the request that it is of."""
    found: dict[int, UsageRow] = {}
    for row in rows:
        if row.corrects_row_id is None:
            found[row.id] = row
        elif row.corrects_row_id not in found:
            [found[row.corrects_row_id]] = await unit.usage.after(UsageFilter(), row.corrects_row_id - 1, 1)
    return list(found.values())


def _charged(row: UsageRow) -> bool:
    """Whether a price has anything to say about it."""
    return bool(row.meters) and row.source is not UsageSource.CORRECTION


async def _right(unit: Unit, directory: Directory, row: UsageRow, now_us: int) -> _Right:
    """What is charged for attempts that failed before stays as it is."""
    rate = directory.rate(row.user_id, row.model_id, now_us)
    if rate is None:
        name = f"{row.provider}/{row.model}"
        raise ConflictError(f"{name} has no price", f"{remedy(name)} (or --free)")
    cost_pico, charge_pico, _ = rate.price(row.meters, row.service_tier or STANDARD)
    failed = await unit.usage.attempts_of(row.id) if row.attempts > 1 else ()
    charge_pico += sum(attempt.charge_pico for attempt in failed)
    fee_pico = rate.request_fee_pico
    return _Right(cost_pico, charge_pico, rate.price_id, rate.markup, fee_pico, rate.cost_price_id)


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
