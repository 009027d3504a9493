"""The prices as data, and the only place where a quantity becomes money.

A unit price is an exact Decimal in USD per `MeterSpec.per` units. A charge is price × quantity × mark-up, rounded
half-even once per meter. All arithmetic is on integers of pico-USD.
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
"""The service tier that applies if neither the request nor the response names another."""
UNKNOWN_TIER = "unknown"
"""The name for any tier that no dialect knows. No sheet names it, so it is never taken for the standard one."""
NEVER_DEARER = frozenset(("batch", "flex", "offpeak"))
"""The tiers for which no provider asks more than for the standard one, because the answer may take longer."""

MODES = "+"
"""The separator between several modes of one response that are its tier together: `fast+us`."""

_UNIT_PRICE = re.compile(r"\d{1,6}(?:\.\d{1,12})?|\.\d{1,12}", re.ASCII)
_MARKUP = re.compile(r"([+-]?\d{1,5}(?:\.\d{1,6})?)\s*%?", re.ASCII)


@dataclass(frozen=True, slots=True)
class PriceBand:
    """The prices that apply to one service tier from a number of input tokens on (exclusive)."""

    unit_prices: Mapping[str, Decimal]
    """Meter name → USD per `MeterSpec.per` units."""
    above_input_tokens: int = 0
    service_tier: str = STANDARD


@dataclass(frozen=True, slots=True)
class PriceSheet:
    """One version of a model's price. A sheet without bands means free, which only an explicit statement makes it."""

    bands: tuple[PriceBand, ...]

    @property
    def free(self) -> bool:
        return not self.bands

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> PriceSheet:
        """Parses a sheet from the stored JSON shape.

        The shape is `{"free": true}` or `{"bands": [{"above_input_tokens": 0, "service_tier": "standard", "prices":
        {"input": "0.15"}}]}`. Raises BadInputError for unknown price keys, negative or non-decimal prices, and a band
        that is given twice or has no prices. It also raises if the standard tier or any other has no band from zero.
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
        """Returns the stored JSON shape. `PriceSheet.parse` of it gives an equal sheet."""
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
    """Parses a price: a decimal in USD, not negative, below a million, with at most twelve decimals.

    Raises BadInputError for anything else.
    """
    if not _UNIT_PRICE.fullmatch(str(text)):
        raise BadInputError(f"not a price for {name}: {text!r}", "write US dollars as decimals, for example 0.15")
    return Decimal(text)


def parse_markup(text: str) -> Fraction:
    """Parses a mark-up: `'7.5%'` → 43/40, `'0%'` → 1.

    It is from −100 % to 10,000 % and has at most six decimals. Raises BadInputError for anything else.
    """
    match = _MARKUP.fullmatch(text.strip())
    factor = 1 + Fraction(match[1]) / 100 if match else Fraction(-1)
    if not 0 <= factor <= 101:
        raise BadInputError(f"not a mark-up: {text!r}", "write a percentage between -100% and 10000%, e.g. 7.5%")
    return factor


class PricedUsage(NamedTuple):
    """The price of one request. `Rate.lines` shows how it is calculated."""

    cost_pico: int
    """The amount that the provider charges the operator."""
    charge_pico: int
    """The amount that the customer pays, with mark-up and request fee."""
    unpriced: tuple[str, ...] = ()
    """The reported meters that have neither a price nor a fallback.

    `service_tier` is among them if the sheet does not have the tier that was served.
    """


class PricedMeter(NamedTuple):
    """The price of one meter of one request. No line contains the request fee."""

    meter: str
    quantity: int
    unit_price: Decimal
    cost_pico: int
    charge_pico: int


class _Unit(NamedTuple):
    """The price of one meter as integer ratios: pico-USD = quantity × numerator / denominator."""

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
    """A price version with the mark-up that one customer pays. It turns quantities into money.

    `request_fee_pico` is added once per request that the provider answered. The prices of a tier are calculated when
    they are first needed, since most never are.
    """

    price_id: int
    sheet: PriceSheet
    markup: Fraction = Fraction(1)
    request_fee_pico: int = 0
    costs: Rate | None = None
    """The provider's own prices, if the customer's differ. None means that this sheet gives both."""
    _tiers: frozenset[str] = field(init=False, repr=False, compare=False)
    _bands: dict[str, tuple[tuple[int, _Units], ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """The bands of each tier as pairs (above so many input tokens, prices), the highest first."""
    _dearest: dict[tuple[str | None, Collection[str]], tuple[tuple[int, Fraction], ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    _priced: frozenset[str] | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._tiers = self.sheet.tiers()

    def price(self, meters: Meters, service_tier: str = STANDARD) -> PricedUsage:
        """Returns the price: each reported meter × its unit price × the mark-up, rounded half-even once per meter.

        A tier that the sheet does not name is priced as the nearest that it names, and is reported among the unpriced.
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
        """Returns what was reported and has no cost, if the cost has a sheet of its own; see `PricedUsage.unpriced`."""
        return () if self.costs is None else self.costs.price(meters, service_tier).unpriced

    def lines(
        self, meters: Meters, service_tier: str = STANDARD, band_tokens: int | None = None
    ) -> tuple[PricedMeter, ...]:
        """Returns the same as `price`, meter by meter, for display. Meters without a price have no line.

        Both amounts are by this sheet. If the cost has a sheet of its own, call `lines` of `costs`. For sums over many
        requests, `band_tokens` is the number of input tokens that chooses the band.
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
        """Returns the highest charge of any of these meters, in pico-USD per unit, without the request fee.

        It covers the requested and the standard tier, since a provider may fall back to that one. If the sheet does not
        name the tier (`auto`), it covers all tiers. Bands above `input_tokens`, if given, cannot be reached. Rounding
        may add half a pico-USD per meter to a charge.
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
        """The price version of the cost in usage rows.

        None means that the cost is by the same version, and 0 that the provider's price is unknown.
        """
        return None if self.costs is None else self.costs.price_id

    def states(self, meter: str) -> bool:
        """Returns whether every band names a price for the meter itself, and not only for its fallback."""
        return all(meter in band.unit_prices for band in self.sheet.bands)

    def has_tier(self, service_tier: str) -> bool:
        """Returns whether the sheet has a price for this tier. All tiers of a free model are free."""
        return service_tier in self._tiers or self.sheet.free

    def has_cost(self, meter: str) -> bool:
        """Returns the same as `has_price`, for the provider's price."""
        return (self.costs or self).has_price(meter)

    def has_price(self, meter: str) -> bool:
        """Returns whether the meter has a price in every band of every tier, so that it is never free by omission."""
        if self._priced is None:
            bands = [units for tier in self._tiers for _, units in self._tier(tier)]
            self._priced = frozenset(name for name in METERS if all(name in units for units in bands))
        return meter in self._priced

    def _units(self, meters: Meters, service_tier: str) -> _Units:
        """Returns the prices of the band.

        All input-side tokens together choose the band, and it applies strictly above its threshold.
        """
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
        """Returns the nearest tier that the sheet names.

        Of several modes at once, as in `fast+us`, as many as the sheet has prices for count, and the first ones before
        others.
        """
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
        """Returns pairs (threshold, the highest price in any band up to it), the highest threshold first."""
        bands = [band for known in (self._tiers if tier is None else {tier, STANDARD}) for band in self._tier(known)]
        most = Fraction(0)
        steps: dict[int, Fraction] = {}
        for above, units in sorted(bands, key=lambda band: band[0]):
            ratios = (units[name][-2:] for name in names if name in units)
            steps[above] = most = max([most, *(Fraction(*ratio) for ratio in ratios)])
        return tuple(reversed(steps.items()))


UNKNOWN_COSTS = Rate(0, PriceSheet((PriceBand({}),)))
"""The costs if only a customer has a price. The provider's price is unknown, so every meter is reported as uncosted."""


def resolve(band: PriceBand, name: str) -> Decimal | None:
    """Returns the unit price of a meter in a band, or of its fallback."""
    meter: str | None = name
    while meter is not None:
        if meter in band.unit_prices:
            return band.unit_prices[meter]
        meter = METERS[meter].fallback
    return None
