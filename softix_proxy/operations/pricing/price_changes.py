"""Changes parts of a price that is in force, and shows the effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.domain.pricing.price_changes import OddPrice, UnitPriceChange, merged, oddities, unit_prices
from softix_proxy.domain.pricing.prices import format_markup
from softix_proxy.domain.pricing.rates import STANDARD, PriceSheet, Rate
from softix_proxy.operations.access import users
from softix_proxy.operations.catalog import models
from softix_proxy.operations.catalog.models import NOBODY, priced_directory
from softix_proxy.operations.pricing.prices import ListedPrice, add_version, start_us


@dataclass(frozen=True, slots=True)
class GivenPrice:
    """The new values of a price: the unit prices of one band, or the fact that it is free."""

    prices: Mapping[str, Decimal]
    """Meter → USD. It is empty for a free price."""
    service_tier: str = STANDARD
    above_input_tokens: int = 0
    replace: bool = False
    """Whether these values replace the whole price that is in force."""

    @property
    def whole(self) -> bool:
        return self.replace or not self.prices


@dataclass(frozen=True, slots=True)
class ChangedPrice:
    """The effect that a change of price had or would have."""

    listed: ListedPrice
    before: PriceSheet | None
    """The price that it replaces: the customer's own price, or else the price for all. None if there was none."""
    prices: Sequence[UnitPriceChange]
    """Every unit price before and after the change, including the unchanged ones."""
    oddities: Sequence[OddPrice]
    remarks: Sequence[str]
    """Further facts that an operator should know."""

    @property
    def full_name(self) -> str:
        return f"{self.listed.provider.name}/{self.listed.model.name}"

    def remedy(self, oddity: OddPrice) -> str:
        """Returns the command that brings the price back into proportion."""
        options = oddity.options + (f" --user {self.listed.user.public_id}" if self.listed.user else "")
        return f"softix prices set {self.full_name} {options}"


async def change_price(
    storage: Storage, model: str, given: GivenPrice, *, user: str | None = None, starts_at_us: int | None = None
) -> ChangedPrice:
    """Makes a new version from the price that is in force at its start. Raises NotFoundError, BadInputError."""
    async with storage.writing() as unit:
        found = await models.find(unit, model)
        customer = await users.find(unit, user) if user is not None else None
        starts_us = start_us(starts_at_us, unit.clock.now_us())
        directory = await priced_directory(unit, found.id)
        rate = directory.rate(customer.id if customer else NOBODY, found.id, starts_us)
        before = rate.sheet if rate else None
        sheet = _sheet(before, given)
        listed = await add_version(unit, found, customer, sheet, starts_us)
        own = await unit.prices.list(found.id)
        is_first = customer is not None and not any(
            one.user_id == customer.id and one.starts_at_us <= starts_us and one.id != listed.version.id for one in own
        )
        remarks = _remarks(rate, given, is_first=is_first)
        odd = () if given.whole else oddities(before, sheet)
        return ChangedPrice(listed, before, unit_prices(before, sheet), odd, remarks)


def _sheet(before: PriceSheet | None, given: GivenPrice) -> PriceSheet:
    if not given.prices:
        return PriceSheet(())
    return merged(None if given.replace else before, given.prices, given.service_tier, given.above_input_tokens)


def _remarks(rate: Rate | None, given: GivenPrice, *, is_first: bool) -> Sequence[str]:
    remarks = []
    if rate is not None and rate.sheet.free and given.prices:
        remarks.append("It was free until now.")
    marked_up = rate is not None and (rate.markup != 1 or rate.request_fee_pico)
    if is_first and rate is not None and marked_up:
        kept = "" if given.whole else "; what stays is the price for all, without it"
        remarks.append(
            f"A customer's own price has no mark-up (until now {format_markup(rate.markup)}) and no fee{kept}."
        )
    return remarks


def parse_place(tier: str | None, above: int | None) -> tuple[str, int]:
    """Returns the tier and the step of a band. Raises BadInputError if the tier is not one word."""
    if tier is not None and not (0 < len(tier) <= 64 and tier.isascii() and tier.isprintable() and " " not in tier):
        raise BadInputError(f"not a service tier: {tier!r}", "one word, for example flex, batch or priority")
    return tier or STANDARD, above or 0
