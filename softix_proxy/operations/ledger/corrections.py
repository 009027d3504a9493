"""Corrects a wrong charge or cost by posting the difference. Posted rows stay as they are."""

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
"""The number of rows that one transaction corrects. It is small because the hot path needs the write lock."""
_SCANNED_AT_ONCE = 500
"""The number of rows that are read at once to find the wrong ones."""


@dataclass(frozen=True, slots=True)
class CorrectedRequest:
    row: UsageRow
    """The original row."""
    before_pico: int
    """The charge of the row with all corrections so far."""
    after_pico: int
    correction: UsageRow | None
    """None if nothing was wrong, or if nothing was to be posted yet."""
    cost_before_pico: int
    """The provider's cost with all corrections so far."""
    cost_after_pico: int


@dataclass(frozen=True, slots=True)
class _Right:
    """The values that the row should have had."""

    cost_pico: int | None
    """None if the cost stays as it is."""
    charge_pico: int | None
    price_id: int | None
    markup: Fraction
    fee_pico: int
    cost_price_id: int | None
    """The price version of the cost, as in `UsageRow.cost_price_id`."""


class Corrections:
    """The corrections of one run of a command. The run has its own sequence of request ids."""

    def __init__(self, storage: Storage, note: str) -> None:
        """Starts a run with this note. Raises BadInputError if the note is not one line of text."""
        if not (0 < len(note) <= _MAX_NOTE and note.isprintable()):
            raise BadInputError("a note is one line of 1 to 200 characters", "say why the charge was wrong: --note")
        self._storage = storage
        self._note = note
        self._ids = RequestIds(CORRECTIONS_SLOT)

    async def set_charge(self, reference: str, charge_pico: int) -> CorrectedRequest:
        """Corrects the charge of one request. Raises BadInputError, NotFoundError, ConflictError."""
        if charge_pico < 0:
            raise BadInputError("a charge is not negative", "0.00 takes all of it back")
        row = (await usage.explain(self._storage, reference)).row
        async with self._storage.writing() as unit:
            latest = _last_word(row, await unit.usage.corrections(row.id))
            costs = _other_than(row.price_id, cost_version(latest))
            right = _Right(None, charge_pico, row.price_id, row.markup, row.fee_pico, costs)
            return await self._post(unit, row, right)

    async def reprice(self, reference: str) -> CorrectedRequest:
        """Corrects one request to the price and mark-up that apply now. Raises as `set_charge`."""
        row = (await usage.explain(self._storage, reference)).row
        async with self._storage.writing() as unit:
            right = await _right(unit, await models.priced_directory(unit, row.model_id), row, unit.clock.now_us())
            return await self._post(unit, row, right)

    async def reprice_all(
        self, model: str, span: Span, user: str | None, *, dry: bool
    ) -> AsyncIterator[CorrectedRequest]:
        """Corrects every charged request of a model in a period. `dry` posts nothing.

        Raises NotFoundError, ConflictError.
        """
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
        """Corrects the provider's cost of rows in the span whose cost came from a customer's own price.

        It takes the operator's or the catalogue's price at the time of each request. With `current` it corrects every
        request, by the price of now. It yields a plain row if nobody knows the cost, because only the customer has a
        price. `dry` posts nothing. Raises NotFoundError.
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
    """Returns the row whose prices now apply to the request.

    A redating correction changes no price, so it is skipped.
    """
    return next((one for one in reversed(corrections) if not (one.note or "").startswith(REDATED)), row)


def cost_version(row: UsageRow) -> int:
    """Returns the price version by which the row's cost was calculated, or 0 if none was known."""
    return (row.price_id or 0) if row.cost_price_id is None else row.cost_price_id


def _other_than(price_id: int | None, costs: int) -> int | None:
    return None if costs == price_id else costs


@dataclass(frozen=True, slots=True)
class ProviderCosts:
    """The costs of providers by the operator's and the catalogue's prices."""

    directory: Directory
    customers: frozenset[int]
    """The price versions that belong to customers."""
    at_us: int | None
    """The time whose prices apply. None means the time of each request."""

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
        """Returns the right cost, or None if nobody knows it.

        The charge and the fields that explain it stay as they are.
        """
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
    """Returns each request once. For a correction it returns the request that it corrects."""
    found: dict[int, UsageRow] = {}
    for row in rows:
        if row.corrects_row_id is None:
            found[row.id] = row
        elif row.corrects_row_id not in found:
            [found[row.corrects_row_id]] = await unit.usage.after(UsageFilter(), row.corrects_row_id - 1, 1)
    return list(found.values())


def _charged(row: UsageRow) -> bool:
    """Decides whether a price applies to the row."""
    return bool(row.meters) and row.source is not UsageSource.CORRECTION


async def _right(unit: Unit, directory: Directory, row: UsageRow, now_us: int) -> _Right:
    """Returns the right values of the row at the price of now.

    The charges of attempts that failed before stay as they are.
    """
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
    """Raises ConflictError if the correction would overdraw a prepaid balance."""
    owner = await unit.users.get(row.user_id)
    if difference_pico <= 0 or owner.postpaid:
        return
    wallet = await unit.balance.get(row.user_id)
    if difference_pico > wallet.posted_pico - wallet.held_pico + wallet.credit_pico:
        raise ConflictError(
            f"the balance of {owner.name} does not cover the correction",
            f"softix balance add {owner.public_id} AMOUNT, or softix balance credit-limit {owner.public_id} AMOUNT",
        )
