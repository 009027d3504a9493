"""The versions of prices and mark-ups.

They are never edited. A new version starts at an instant, and the latest that has started applies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Literal, Protocol, TypeVar

from softix_proxy.domain.pricing.rates import PriceSheet

PriceScope = Literal["default", "user", "model"]
PriceSource = Literal["catalogue", "operator", "customer"]


@dataclass(frozen=True, slots=True)
class PriceVersion:
    """One version of a model's price, for one customer or for all."""

    id: int
    model_id: int
    user_id: int | None
    """The customer whose own price this is. It has priority over the operator's and the catalogue's price.

    It determines the charge and not the cost.
    """
    source: PriceSource
    sheet: PriceSheet
    starts_at_us: int
    created_at_us: int

    def has_started(self, now_us: int) -> bool:
        return _has_started(self, now_us)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A price that waits for approval. There is one for each model, customer, source and start."""

    id: int
    model_id: int
    user_id: int | None
    source: PriceSource
    sheet: PriceSheet
    starts_at_us: int | None
    """The start of the price. None means the moment of approval."""
    created_at_us: int


@dataclass(frozen=True, slots=True)
class MarkupVersion:
    """A factor on each price and a fee on each answered request.

    For both, scope `user` has priority over `model`, and `model` over `default`. They are neither multiplied nor added.
    """

    id: int
    scope: PriceScope
    subject_id: int | None
    """The id of the user or model. It is None for the default."""
    factor: Fraction
    starts_at_us: int
    created_at_us: int
    fee_pico: int = 0

    def has_started(self, now_us: int) -> bool:
        return _has_started(self, now_us)


_V = TypeVar("_V", PriceVersion, MarkupVersion)


def _has_started(version: PriceVersion | MarkupVersion, now_us: int) -> bool:
    """Returns whether the version has started.

    One that was to start at once started when it was made, even if the clock was ahead then or is behind now.
    """
    return version.starts_at_us <= max(now_us, version.created_at_us)


def in_order(versions: Iterable[_V]) -> list[_V]:
    """Returns the versions in order, with credible starts.

    A version that was to start at once started before any later version was made. So a version that was made while the
    clock was ahead does not return when its time is reached.
    """
    found: list[_V] = []
    earliest_us = 2**63 - 1
    for version in sorted(versions, key=lambda version: -version.id):
        at_once = version.starts_at_us <= version.created_at_us
        late = at_once and version.starts_at_us > earliest_us
        found.append(replace(version, starts_at_us=earliest_us) if late else version)
        earliest_us = min(earliest_us, version.created_at_us)
    return found[::-1]


@dataclass(frozen=True, slots=True)
class UnpricedAsks:
    """The number of requests for a model that were refused because it has no price."""

    model_id: int
    asks: int
    last_asked_at_us: int


def format_markup(factor: Fraction) -> str:
    """Formats a mark-up: `43/40` → `'7.5%'`. It is exact, since mark-ups are stated as decimal percentages."""
    return f"{_plain(Decimal(1), (factor - 1) * 100)}%"


def marked_up(unit_price: Decimal, factor: Fraction) -> str:
    """Returns the unit price that the customer pays, as exact decimal text."""
    return _plain(unit_price, factor)


def _plain(number: Decimal, ratio: Fraction) -> str:
    with localcontext(prec=60):  # a price has at most 18 digits, a mark-up 11
        text = format(number * ratio.numerator / ratio.denominator, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


class PriceStore(Protocol):
    """Stores versions of prices and mark-ups, and proposals that wait for approval."""

    async def add_all(self, versions: Sequence[PriceVersion]) -> Sequence[PriceVersion]:
        """Adds all versions or none, in their order. Ids are ignored and assigned."""
        ...

    async def list(self, model_id: int | None = None) -> Sequence[PriceVersion]:
        """Returns every version of one model or of all, in the order in which they were made."""
        ...

    async def add_markup(self, version: MarkupVersion) -> MarkupVersion:
        """Adds a mark-up. `version.id` is ignored and assigned."""
        ...

    async def markups(self) -> Sequence[MarkupVersion]:
        """Returns every version, in the order in which they were made."""
        ...

    async def propose(self, proposals: Sequence[Proposal]) -> None:
        """Stores proposals. Each replaces an earlier one for the same price. Ids are ignored and assigned."""
        ...

    async def proposals(self) -> Sequence[Proposal]:
        """Returns the proposals in the order in which they were made."""
        ...

    async def proposal_count(self) -> int: ...

    async def withdraw(self, ids: Sequence[int]) -> None: ...

    async def unpriced_asks(self) -> Sequence[UnpricedAsks]: ...
