"""Prices as data, and the one place where a quantity becomes money.

A unit price is an exact Decimal in USD per `MeterSpec.per` units. A charge is price × quantity × mark-up, rounded
half-even once per meter; everything is integer arithmetic on pico-USD.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from softix_proxy.domain.errors import BadInputError
from softix_proxy.domain.money import PICO_PER_USD, divide_half_even
from softix_proxy.domain.usage import INPUT_METERS, METERS, OUTPUT_METERS, Meters, total

PRICE_KEYS = {spec.price_key: spec.name for spec in METERS.values()}
STANDARD = "standard"
"""The service tier that applies where neither the request nor the answer names another."""


@dataclass(frozen=True, slots=True)
class Band:
    """Prices that apply to one service tier from a number of input tokens on (exclusive)."""

    unit_prices: Mapping[str, Decimal]
    """Meter name → USD per `MeterSpec.per` units."""
    above_input_tokens: int = 0
    service_tier: str = STANDARD


@dataclass(frozen=True, slots=True)
class Sheet:
    """One version of a model's price. No bands at all means free, which only a statement makes it."""

    bands: tuple[Band, ...]

    @property
    def free(self) -> bool:
        return not self.bands

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Sheet:
        """From the stored JSON shape: `{"free": true}` or
        `{"bands": [{"above_input_tokens": 0, "service_tier": "standard", "prices": {"input": "0.15"}}]}`.

        Raises BadInputError for unknown price keys, negative or non-decimal prices, or no band from zero.
        """
        if data.get("free") is True:
            return cls(())
        bands = tuple(
            Band(
                {PRICE_KEYS[_known(key)]: parse_price(key, value) for key, value in band["prices"].items()},
                int(band.get("above_input_tokens", 0)),
                str(band.get("service_tier", STANDARD)),
            )
            for band in data.get("bands", ())
        )
        if not any(band.above_input_tokens == 0 and band.service_tier == STANDARD for band in bands):
            raise BadInputError("a price needs a band from zero", "give at least --input or --output, or --free")
        return cls(bands)

    def dump(self) -> dict[str, Any]:
        """The stored JSON shape; `Sheet.parse` of it gives an equal sheet."""
        if self.free:
            return {"free": True}
        return {
            "bands": [
                {
                    "above_input_tokens": band.above_input_tokens,
                    "service_tier": band.service_tier,
                    "prices": {
                        METERS[name].price_key: format(price, "f") for name, price in band.unit_prices.items()
                    },
                }
                for band in self.bands
            ]
        }

    def tiers(self) -> frozenset[str]:
        return frozenset(band.service_tier for band in self.bands) | {STANDARD}


def _known(key: str) -> str:
    if key not in PRICE_KEYS:
        raise BadInputError(f"unknown price {key!r}", f"one of: {', '.join(PRICE_KEYS)}")
    return key


def parse_price(name: str, text: str) -> Decimal:
    """A non-negative decimal in USD with at most twelve decimals. Raises BadInputError."""
    try:
        price = Decimal(text)
    except InvalidOperation:
        price = Decimal(-1)
    if not (price.is_finite() and 0 <= price < MAX_UNIT_PRICE) or "e" in text.lower():
        raise BadInputError(f"not a price for {name}: {text!r}", "write US dollars as decimals, for example 0.15")
    return price


MAX_UNIT_PRICE = Decimal(1_000_000)


def parse_markup(text: str) -> Fraction:
    """`'7.5%'` → 43/40; `'0%'` → 1. From −100 % to 10,000 %. Raises BadInputError."""
    try:
        percent = Decimal(text.strip().removesuffix("%"))
        if not percent.is_finite():
            raise InvalidOperation
        factor = 1 + Fraction(percent) / 100
    except InvalidOperation:
        factor = Fraction(-1)
    if not 0 <= factor <= 101:
        raise BadInputError(f"not a mark-up: {text!r}", "write a percentage between -100% and 10000%, e.g. 7.5%")
    return factor


@dataclass(frozen=True, slots=True)
class Line:
    """One meter of one request, priced."""

    meter: str
    quantity: int
    unit_price: Decimal
    cost_pico: int
    charge_pico: int


@dataclass(frozen=True, slots=True)
class Priced:
    lines: tuple[Line, ...]
    cost_pico: int
    charge_pico: int
    unpriced: tuple[str, ...] = ()
    """Meters that were reported and have neither a price nor a fallback."""


@dataclass(frozen=True, slots=True)
class _Unit:
    """One meter's price as integer ratios: pico-USD = quantity × numerator / denominator."""

    price: Decimal
    cost_num: int
    cost_den: int
    charge_num: int
    charge_den: int


@dataclass(slots=True)
class Rate:
    """A price version with the mark-up that one customer pays: turns quantities into money.

    `request_fee_pico` is added once per request that the provider answered.
    """

    price_id: int
    sheet: Sheet
    markup: Fraction = Fraction(1)
    request_fee_pico: int = 0
    _units: dict[tuple[str, int], dict[str, _Unit]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for band in self.sheet.bands:
            units: dict[str, _Unit] = {}
            for spec in METERS.values():
                price = self._resolve(band, spec.name)
                if price is not None:
                    cost = Fraction(price) * PICO_PER_USD / spec.per
                    charge = cost * self.markup
                    units[spec.name] = _Unit(
                        price, cost.numerator, cost.denominator, charge.numerator, charge.denominator
                    )
            self._units[(band.service_tier, band.above_input_tokens)] = units

    @staticmethod
    def _resolve(band: Band, name: str) -> Decimal | None:
        meter: str | None = name
        while meter is not None:
            if meter in band.unit_prices:
                return band.unit_prices[meter]
            meter = METERS[meter].fallback
        return None

    def _band(self, input_tokens: int, service_tier: str) -> dict[str, _Unit]:
        tiers = [key for key in self._units if key[0] == service_tier] or [
            key for key in self._units if key[0] == STANDARD
        ]
        return self._units[max(key for key in tiers if key[1] <= max(input_tokens - 1, 0))]

    def price(self, meters: Meters, service_tier: str = STANDARD) -> Priced:
        """Each reported meter × its unit price × the mark-up; rounded half-even once per meter."""
        if self.sheet.free:
            return Priced((), 0, 0)
        band = self._band(total(meters, INPUT_METERS), service_tier)
        lines: list[Line] = []
        unpriced: list[str] = []
        cost_pico, charge_pico = 0, self.request_fee_pico
        for name, quantity in meters.items():
            unit = band.get(name)
            if unit is None:
                if quantity and METERS[name].name != "requests":
                    unpriced.append(name)
                continue
            cost = divide_half_even(quantity * unit.cost_num, unit.cost_den)
            charge = divide_half_even(quantity * unit.charge_num, unit.charge_den)
            lines.append(Line(name, quantity, unit.price, cost, charge))
            cost_pico += cost
            charge_pico += charge
        return Priced(tuple(lines), cost_pico, charge_pico, tuple(unpriced))

    def dearest(self, names: tuple[str, ...], service_tier: str = STANDARD) -> Fraction:
        """The highest charge, in pico-USD a unit, of any of these meters in any band of the tier."""
        tiers = {service_tier, STANDARD}
        return max(
            (
                Fraction(units[name].charge_num, units[name].charge_den)
                for (tier, _), units in self._units.items()
                if tier in tiers
                for name in names
                if name in units
            ),
            default=Fraction(0),
        )

    def dearest_input(self, service_tier: str = STANDARD) -> Fraction:
        return self.dearest(INPUT_METERS, service_tier)

    def dearest_output(self, service_tier: str = STANDARD) -> Fraction:
        return self.dearest(OUTPUT_METERS, service_tier)

    def has_price(self, meter: str) -> bool:
        return self.sheet.free or any(meter in units for units in self._units.values())
