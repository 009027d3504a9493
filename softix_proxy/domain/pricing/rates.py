"""Prices as data, and the one place where a quantity becomes money.

A unit price is an exact Decimal in USD per `MeterSpec.per` units. A charge is price × quantity × mark-up, rounded
half-even once per meter; everything is integer arithmetic on pico-USD.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.core.money import PICO_PER_USD, divide_half_even
from softix_proxy.domain.pricing.meters import INPUT_METERS, METERS, OUTPUT_METERS, Meters

PRICE_KEYS = {spec.price_key: spec.name for spec in METERS.values()}
STANDARD = "standard"
"""The service tier that applies where neither the request nor the answer names another."""
UNKNOWN_TIER = "unknown"
"""Any tier that no dialect knows: no sheet names it, so that it never passes for the standard one unseen."""

MODES = "+"
"""Stands between several modes of one answer, where together they are its tier: `fast+us`."""

_UNIT_PRICE = re.compile(r"\d{1,6}(?:\.\d{1,12})?|\.\d{1,12}", re.ASCII)
_MARKUP = re.compile(r"([+-]?\d{1,5}(?:\.\d{1,6})?)\s*%?", re.ASCII)


@dataclass(frozen=True, slots=True)
class PriceBand:
    """Prices that apply to one service tier from a number of input tokens on (exclusive)."""

    unit_prices: Mapping[str, Decimal]
    """Meter name → USD per `MeterSpec.per` units."""
    above_input_tokens: int = 0
    service_tier: str = STANDARD


@dataclass(frozen=True, slots=True)
class PriceSheet:
    """One version of a model's price. No bands at all means free, which only a statement makes it."""

    bands: tuple[PriceBand, ...]

    @property
    def free(self) -> bool:
        return not self.bands

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> PriceSheet:
        """From the stored JSON shape: `{"free": true}` or
        `{"bands": [{"above_input_tokens": 0, "service_tier": "standard", "prices": {"input": "0.15"}}]}`.

        Raises BadInputError for unknown price keys, negative or non-decimal prices, a band given twice or without
        prices, and where the standard tier or any other has no band from zero.
        """
        if data.get("free") is True:
            return cls(())
        bands = sorted((_parse_band(band) for band in data.get("bands", ())), key=_order)
        starts = [(band.service_tier, band.above_input_tokens) for band in bands]
        if not all((tier, 0) in starts for tier in {STANDARD, *(tier for tier, _ in starts)}):
            raise BadInputError("a price needs a band from zero", "give at least --input or --output, or --free")
        if len(set(starts)) < len(starts):
            raise BadInputError("a price has two bands from the same number of tokens", "give each band once")
        return cls(tuple(bands))

    def dump(self) -> dict[str, Any]:
        """The stored JSON shape; `PriceSheet.parse` of it gives an equal sheet."""
        if self.free:
            return {"free": True}
        return {
            "bands": [
                {
                    "above_input_tokens": band.above_input_tokens,
                    "service_tier": band.service_tier,
                    "prices": {METERS[name].price_key: format(price, "f") for name, price in band.unit_prices.items()},
                }
                for band in self.bands
            ]
        }

    def tiers(self) -> frozenset[str]:
        return frozenset(band.service_tier for band in self.bands) | {STANDARD}


def _parse_band(data: Mapping[str, Any]) -> PriceBand:
    prices = {PRICE_KEYS[_known(key)]: parse_price(key, value) for key, value in data.get("prices", {}).items()}
    above = int(data.get("above_input_tokens", 0))
    if not prices or above < 0:
        raise BadInputError("a band needs prices and starts at zero or above", "give at least --input or --output")
    return PriceBand(prices, above, str(data.get("service_tier", STANDARD)))


def _order(band: PriceBand) -> tuple[bool, str, int]:
    return band.service_tier != STANDARD, band.service_tier, band.above_input_tokens


def _known(key: str) -> str:
    if key not in PRICE_KEYS:
        raise BadInputError(f"unknown price {key!r}", f"one of: {', '.join(PRICE_KEYS)}")
    return key


def parse_price(name: str, text: str) -> Decimal:
    """A decimal in USD, not negative, below a million, with at most twelve decimals. Raises BadInputError."""
    if not _UNIT_PRICE.fullmatch(str(text)):
        raise BadInputError(f"not a price for {name}: {text!r}", "write US dollars as decimals, for example 0.15")
    return Decimal(text)


def parse_markup(text: str) -> Fraction:
    """`'7.5%'` → 43/40; `'0%'` → 1. From −100 % to 10,000 %, at most six decimals. Raises BadInputError."""
    match = _MARKUP.fullmatch(text.strip())
    factor = 1 + Fraction(match[1]) / 100 if match else Fraction(-1)
    if not 0 <= factor <= 101:
        raise BadInputError(f"not a mark-up: {text!r}", "write a percentage between -100% and 10000%, e.g. 7.5%")
    return factor


class PricedUsage(NamedTuple):
    """What one request costs; `Rate.lines` tells how it came about."""

    cost_pico: int
    """What the provider asks of the operator."""
    charge_pico: int
    """What the customer pays: with mark-up and request fee."""
    unpriced: tuple[str, ...] = ()
    """Meters that were reported and have neither a price nor a fallback; `service_tier`, where the sheet has not the
    tier that was served."""


class PricedMeter(NamedTuple):
    """One meter of one request, priced. The request fee is not in any line."""

    meter: str
    quantity: int
    unit_price: Decimal
    cost_pico: int
    charge_pico: int


class _Unit(NamedTuple):
    """One meter's price as integer ratios: pico-USD = quantity × numerator / denominator."""

    price: Decimal
    cost_num: int
    cost_den: int
    charge_num: int
    charge_den: int


_Units = Mapping[str, _Unit]


def _times(quantity: int, numerator: int, denominator: int) -> int:
    product = quantity * numerator
    return product if denominator == 1 else divide_half_even(product, denominator)


@dataclass(slots=True)
class Rate:
    """A price version with the mark-up that one customer pays: turns quantities into money.

    `request_fee_pico` is added once per request that the provider answered. A tier is worked out when it is first
    asked for, since most are never.
    """

    price_id: int
    sheet: PriceSheet
    markup: Fraction = Fraction(1)
    request_fee_pico: int = 0
    costs: Rate | None = None
    """The provider's own prices, where the customer's are others; None: this sheet tells both."""
    _tiers: frozenset[str] = field(init=False, repr=False, compare=False)
    _bands: dict[str, tuple[tuple[int, _Units], ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """Tier → (above so many input tokens, prices), the highest first."""
    _dearest: dict[tuple[str | None, Collection[str]], tuple[tuple[int, Fraction], ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    _priced: frozenset[str] | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._tiers = self.sheet.tiers()

    def price(self, meters: Meters, service_tier: str = STANDARD) -> PricedUsage:
        """Each reported meter × its unit price × the mark-up; rounded half-even once per meter.

        A tier that the sheet does not name is priced as the nearest that it names, and told among what has no price.
        """
        costs = self.costs
        if not self.sheet.bands:
            return PricedUsage(0 if costs is None else costs.price(meters, service_tier).cost_pico, 0)
        units = self._units(meters, service_tier)
        cost_pico, charge_pico = 0, self.request_fee_pico
        unpriced: tuple[str, ...] = () if service_tier in self._tiers else ("service_tier",)
        for name, quantity in meters.items():
            unit = units.get(name)
            if unit is not None:
                _, cost_num, cost_den, charge_num, charge_den = unit
                cost_pico += _times(quantity, cost_num, cost_den)
                charge_pico += _times(quantity, charge_num, charge_den)
            elif quantity and name != "requests":
                unpriced += (name,)
        if costs is not None:
            cost_pico = costs.price(meters, service_tier).cost_pico
        return PricedUsage(cost_pico, charge_pico, unpriced)

    def uncosted(self, meters: Meters, service_tier: str = STANDARD) -> tuple[str, ...]:
        """Names what was reported and has no cost, where that has a sheet of its own; as in `PricedUsage.unpriced`."""
        return () if self.costs is None else self.costs.price(meters, service_tier).unpriced

    def lines(
        self, meters: Meters, service_tier: str = STANDARD, band_tokens: int | None = None
    ) -> tuple[PricedMeter, ...]:
        """The same as `price`, meter by meter, to show; meters without a price have no line.

        Both amounts are by this sheet: where the cost has one of its own, ask `costs` for its lines. Of sums over many
        requests, `band_tokens` says how many input tokens choose the band.
        """
        if self.sheet.free:
            return ()
        chosen_by = meters if band_tokens is None else {"input_tokens": band_tokens}
        units = self._units(chosen_by, service_tier)
        return tuple(
            PricedMeter(
                name,
                quantity,
                unit.price,
                _times(quantity, unit.cost_num, unit.cost_den),
                _times(quantity, unit.charge_num, unit.charge_den),
            )
            for name, quantity in meters.items()
            if (unit := units.get(name)) is not None
        )

    def dearest(
        self, names: Collection[str], service_tier: str = STANDARD, input_tokens: int | None = None
    ) -> Fraction:
        """The highest charge, in pico-USD a unit, of any of these meters, without the request fee.

        It covers the asked and the standard tier, since a provider may fall back to that one; for a tier that the
        sheet does not name (`auto`), all of them. Bands above `input_tokens`, where given, cannot be reached.
        Rounding may add half a pico-USD a meter to a charge.
        """
        tier = service_tier if service_tier in self._tiers else None
        steps = self._dearest.get((tier, names))
        if steps is None:
            steps = self._dearest[(tier, names)] = self._climb(tier, names)
        for above, most in steps:
            if input_tokens is None or above == 0 or input_tokens > above:
                return most
        return Fraction(0)

    def dearest_input(self, service_tier: str = STANDARD, input_tokens: int | None = None) -> Fraction:
        return self.dearest(INPUT_METERS, service_tier, input_tokens)

    def dearest_output(self, service_tier: str = STANDARD, input_tokens: int | None = None) -> Fraction:
        return self.dearest(OUTPUT_METERS, service_tier, input_tokens)

    @property
    def cost_price_id(self) -> int | None:
        """As usage rows keep it: None where the cost is by the same version, 0 where the provider's is unknown."""
        return None if self.costs is None else self.costs.price_id

    def has_cost(self, meter: str) -> bool:
        """As `has_price`, of what the provider asks."""
        return (self.costs or self).has_price(meter)

    def has_price(self, meter: str) -> bool:
        """In every band of every tier, so that it is never free by omission."""
        if self._priced is None:
            bands = [units for tier in self._tiers for _, units in self._tier(tier)]
            self._priced = frozenset(name for name in METERS if all(name in units for units in bands))
        return meter in self._priced

    def _units(self, meters: Meters, service_tier: str) -> _Units:
        """The band is chosen by all input-side tokens together, and counts strictly above its threshold."""
        bands = self._bands.get(service_tier) or self._tier(service_tier)
        if len(bands) > 1:
            input_tokens = 0
            for name, quantity in meters.items():
                if name in INPUT_METERS:
                    input_tokens += quantity
            for above, units in bands:
                if input_tokens > above:
                    return units
        return bands[-1][1]

    def _tier(self, service_tier: str) -> tuple[tuple[int, _Units], ...]:
        if service_tier not in self._tiers:
            service_tier = self._nearest(service_tier)
        if service_tier not in self._bands:
            bands = [band for band in self.sheet.bands if band.service_tier == service_tier]
            self._bands[service_tier] = tuple(
                (band.above_input_tokens, self._ratios(band)) for band in sorted(bands, key=_order, reverse=True)
            )
        return self._bands[service_tier]

    def _nearest(self, service_tier: str) -> str:
        """Of several modes at once, as in `fast+us`, as many as the sheet has prices for, the first ones before all."""
        named = service_tier.split(MODES)
        several = (MODES.join(named[:count]) for count in range(len(named) - 1, 1, -1))
        return next((tier for tier in (*several, *named) if tier in self._tiers), STANDARD)

    def _ratios(self, band: PriceBand) -> _Units:
        units: dict[str, _Unit] = {}
        for spec in METERS.values():
            price = resolve(band, spec.name)
            if price is not None:
                cost = Fraction(price) * PICO_PER_USD / spec.per
                charge = cost * self.markup
                units[spec.name] = _Unit(price, *cost.as_integer_ratio(), *charge.as_integer_ratio())
        return units

    def _climb(self, tier: str | None, names: Collection[str]) -> tuple[tuple[int, Fraction], ...]:
        """(Threshold, the dearest in any band up to it), the highest threshold first."""
        bands = [band for known in (self._tiers if tier is None else {tier, STANDARD}) for band in self._tier(known)]
        most = Fraction(0)
        steps: dict[int, Fraction] = {}
        for above, units in sorted(bands, key=lambda band: band[0]):
            ratios = (units[name][-2:] for name in names if name in units)
            steps[above] = most = max([most, *(Fraction(*ratio) for ratio in ratios)])
        return tuple(reversed(steps.items()))


UNKNOWN_COSTS = Rate(0, PriceSheet((PriceBand({}),)))
"""Where only a customer has a price: what the provider asks is not known, so every meter is told as uncosted."""


def resolve(band: PriceBand, name: str) -> Decimal | None:
    """The unit price of a meter there, or of what it falls back to."""
    meter: str | None = name
    while meter is not None:
        if meter in band.unit_prices:
            return band.unit_prices[meter]
        meter = METERS[meter].fallback
    return None
