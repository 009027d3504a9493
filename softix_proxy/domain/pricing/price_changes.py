"""Makes a new version of a price from the one in force: the named prices change, and the others stay as they were."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.pricing.meters import METERS
from softix_proxy.domain.pricing.rates import STANDARD, PriceBand, PriceSheet, resolve

_DEARER_TIERS = frozenset(("priority", "fast"))
_CHEAPER_TIERS = frozenset(("batch", "flex"))
_DISCOUNTS = ("cached_input_tokens", "cached_audio_input_tokens", "cached_image_input_tokens")
_TWELVE_DECIMALS = Decimal(1).scaleb(-12)
EXAMPLES: Mapping[str, str] = {
    "input_tokens": "0.15",
    "output_tokens": "0.60",
    "web_search_calls": "10",
    "tool_calls": "10",
    "search_units": "2",
    "audio_ms": "0.0001",
    "characters": "15",
    "images": "0.04",
    "audio_output_tokens": "64",
    "image_output_tokens": "30",
    "requests": "0.001",
}
"""Meter → USD, for a command that shows how its price is set. Other meters have the price of their fallback."""

_Place = tuple[str, int]
"""The service tier, and the number of input tokens above which the band applies."""


class UnitPriceChange(NamedTuple):
    """The change of one unit price, in USD per the meter's unit. None means that there is none."""

    service_tier: str
    above_input_tokens: int
    price_key: str
    old: Decimal | None
    new: Decimal | None


def unit_prices(old: PriceSheet | None, new: PriceSheet) -> Sequence[UnitPriceChange]:
    """Returns each unit price that either sheet has, also those that do not change."""
    before, after = _by_place(old), _by_place(new)
    return [UnitPriceChange(*place, before.get(place), after.get(place)) for place in sorted({**before, **after})]


def differences(old: PriceSheet | None, new: PriceSheet) -> Sequence[UnitPriceChange]:
    """Returns the unit prices that differ.

    A price that becomes free, or ceases to be free, appears as all the unit prices that it loses or gains.
    """
    found = [change for change in unit_prices(old, new) if change.old != change.new]
    if not found and (old is None or old.free != new.free):
        return [UnitPriceChange(STANDARD, 0, "free", None, Decimal(0))]
    return found


def _by_place(sheet: PriceSheet | None) -> Mapping[tuple[str, int, str], Decimal]:
    if sheet is None:
        return {}
    return {
        (band.service_tier, band.above_input_tokens, METERS[name].price_key): price
        for band in sheet.bands
        for name, price in band.unit_prices.items()
    }


def merged(
    before: PriceSheet | None, prices: Mapping[str, Decimal], tier: str = STANDARD, above: int = 0
) -> PriceSheet:
    """Returns the sheet with these prices (meter → USD) in one band: of this tier, above so many input tokens.

    All other prices stay as they were, with two exceptions. First, bands that lack such a price get it too, since a
    request there would be refused without it. Second, a price of calls that is the same in every band changes in every
    band, since it is one price and not many. A new band begins with the prices that applied there. Raises BadInputError
    for a new tier that does not begin at zero.
    """
    bands: dict[_Place, dict[str, Decimal]] = {
        (band.service_tier, band.above_input_tokens): dict(band.unit_prices)
        for band in (before.bands if before is not None else ())
    }
    place = (tier, above)
    if above and (tier, 0) not in bands:
        raise BadInputError(f"the tier {tier} has no price from zero tokens on", "set that one first, without --above")
    everywhere = {name for name in prices if METERS[name].side == "call" and _is_one_price(bands, name)}
    bands[place] = _begun(bands, place) | dict(prices)
    for band in bands.values():
        missing = [name for name in prices if resolve(PriceBand(band), name) is None]
        band.update({name: prices[name] for name in (*everywhere, *missing)})
    dumped = [{"service_tier": at[0], "above_input_tokens": at[1], "prices": _dump(band)} for at, band in bands.items()]
    return PriceSheet.parse({"bands": dumped})


def _is_one_price(bands: Mapping[_Place, Mapping[str, Decimal]], name: str) -> bool:
    return len({band.get(name) for band in bands.values()}) == 1


def _begun(bands: Mapping[_Place, Mapping[str, Decimal]], place: _Place) -> dict[str, Decimal]:
    """Returns the prices that apply there so far: those of the band itself, the one below it, or the standard
    tier's.
    """
    tier, above = place
    own = [at for at in bands if at[0] == tier and at[1] <= above]
    standard = [at for at in bands if at[0] == STANDARD and at[1] <= above]
    nearest = max(own or standard, key=lambda at: at[1], default=None)
    return dict(bands[nearest]) if nearest is not None else {}


def _dump(prices: Mapping[str, Decimal]) -> dict[str, str]:
    return {METERS[name].price_key: format(price, "f") for name, price in prices.items()}


@dataclass(frozen=True, slots=True)
class OddPrice:
    """A price that did not change and no longer fits the price of which it is a discount or a surcharge."""

    service_tier: str
    above_input_tokens: int
    meter: str
    price: Decimal
    word: str
    """The relation: `dearer than` or `cheaper than`."""
    base: str
    """The name of the price with which it is compared."""
    base_price: Decimal
    suggested: Decimal
    """The price that has the same proportion to its base as before."""

    @property
    def place(self) -> str:
        return place_name(self.service_tier, self.above_input_tokens)

    @property
    def sentence(self) -> str:
        key = METERS[self.meter].price_key
        where = f"{self.place}: " if self.place else ""
        return f"{where}{key} stays at {self.price:f} and is now {self.word} {self.base}, {self.base_price:f}"

    @property
    def options(self) -> str:
        """The options of the command that sets a price, which bring this one into proportion again."""
        flag = "--" + METERS[self.meter].price_key.replace("_", "-")
        return f"{place_options(self.service_tier, self.above_input_tokens)}{flag} {self.suggested:f}"


def place_name(service_tier: str, above_input_tokens: int) -> str:
    """Returns `flex above 272,000 tokens`, or an empty text for the standard tier from zero on."""
    tier = "" if service_tier == STANDARD else service_tier
    above = f"above {above_input_tokens:,} tokens" if above_input_tokens else ""
    return " ".join(word for word in (tier, above) if word)


def place_options(service_tier: str, above_input_tokens: int) -> str:
    tier = "" if service_tier == STANDARD else f"--tier {service_tier} "
    return tier + (f"--above {above_input_tokens} " if above_input_tokens else "")


def oddities(old: PriceSheet | None, new: PriceSheet) -> Sequence[OddPrice]:
    """Returns the odd prices that result from a change of their base.

    A price that the operator named is meant as it is.
    """
    if old is None:
        return []
    known = {(at, meter, base_at, base) for at, meter, base_at, base, *_ in _odd(old)}
    before, after = _bands(old), _bands(new)
    found = []
    for at, meter, base_at, base, word, named in _odd(new):
        price, base_price = after[at][meter], _price(after, base_at, base)
        was, base_was = before.get(at, {}).get(meter), _price(before, base_at, base)
        if was != price or base_price is None or base_price == base_was:
            continue
        was_odd = (at, meter, base_at, base) in known
        suggested = base_price if was_odd or not base_was else _rounded(price * base_price / base_was)
        found.append(OddPrice(*at, meter, price, word, named, base_price, suggested))
    return found


_Bands = Mapping[_Place, Mapping[str, Decimal]]


def _bands(sheet: PriceSheet) -> _Bands:
    return {(band.service_tier, band.above_input_tokens): band.unit_prices for band in sheet.bands}


def _price(bands: _Bands, at: _Place, meter: str) -> Decimal | None:
    return resolve(PriceBand(bands[at]), meter) if at in bands else None


def _odd(sheet: PriceSheet) -> Iterator[tuple[_Place, str, _Place, str, str, str]]:
    """Yields the band, the meter, the band and the meter of its base, the relation, and the name of the base.

    The relation is `dearer than` or `cheaper than`.
    """
    bands = _bands(sheet)
    for at, prices in bands.items():
        tier, above = at
        below = max((other for other in bands if other[0] == tier and other[1] < above), default=None)
        standard = (STANDARD, above)
        for meter, price in prices.items():
            if METERS[meter].side == "call":
                continue
            fallback = METERS[meter].fallback
            whole = _price(bands, at, fallback) if meter in _DISCOUNTS and fallback else None
            if fallback and whole is not None and price > whole:
                yield at, meter, at, fallback, "dearer than", METERS[fallback].price_key
            shorter = _price(bands, below, meter) if below else None
            if below and shorter is not None and price < shorter:
                yield at, meter, below, meter, "cheaper than", "for fewer tokens"
            usual = _price(bands, standard, meter)
            if usual is not None and tier in _CHEAPER_TIERS and price > usual:
                yield at, meter, standard, meter, "dearer than", "standard"
            if usual is not None and tier in _DEARER_TIERS and price < usual:
                yield at, meter, standard, meter, "cheaper than", "standard"


def _rounded(price: Decimal) -> Decimal:
    """Rounds a price as prices are written: at most twelve decimals, without trailing zeros."""
    return Decimal(format(price.quantize(_TWELVE_DECIMALS), "f").rstrip("0"))


def remedy(model: str, meters: Sequence[str] = (), user: str | None = None, tier: str = STANDARD) -> str:
    """Returns the command that sets the missing prices of a model, with example prices: of this tier, and for a user
    the user's own.
    """
    named = dict.fromkeys(_priced_by(meter) for meter in meters) or ("input_tokens", "output_tokens")
    options = " ".join(f"--{METERS[name].price_key.replace('_', '-')} {EXAMPLES[name]}" for name in named)
    place = place_options(tier, 0)
    return f"softix prices set {model} {place}{options}" + (f" --user {user}" if user is not None else "")


def _priced_by(meter: str) -> str:
    while meter not in EXAMPLES:
        meter = METERS[meter].fallback or "input_tokens"
    return meter
