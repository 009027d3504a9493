"""The reviewed tables of sections.toml: which package provider each section comes from, and what is set right in it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from softix_proxy.domain.pricing.meters import METERS, MILLION
from softix_proxy.domain.pricing.rates import MODES, PRICE_KEYS

PLACE = Path(__file__).with_name("sections.toml")


@dataclass(frozen=True, slots=True)
class Section:
    """The models of one provider type, whose name the section has."""

    name: str
    package: str
    """The provider's id in genai-prices."""
    stated_names: bool = True
    """Whether the package spells its names as the provider does; else only LiteLLM's and the snapshots' count."""
    aliases: bool = True
    """Whether a model's other names are enabled as well."""
    litellm_providers: tuple[str, ...] = ()
    """Whose names in LiteLLM's list are names here too, and whose prices are compared."""
    litellm_prefixes: tuple[str, ...] = ("",)
    """What may stand before a name in LiteLLM's list; the first that is found counts."""
    extra_names: bool = True
    """Whether LiteLLM's names are taken over, where the package knows the model by a pattern only."""
    keep: str = ""
    """Only names that match."""
    left_out: Sequence[tuple[str, str]] = ()
    """Pattern, and why."""
    snapshots: Sequence[str] = ()
    """Names that only the provider's own SDK or documents spell out."""
    free: Sequence[str] = ()
    limits: Sequence[tuple[str, int, int]] = ()
    """Pattern, context and most output tokens; -1 where the next source is to say. The first match counts."""
    theirs: Sequence[tuple[str, str]] = ()
    """Pattern, and why LiteLLM's price is the right one; it is then taken whole."""
    overrides: Sequence[dict[str, Any]] = field(default_factory=list)
    """`pattern`, `prices`, `source`: in all bands, over what the package says."""
    surcharges: Sequence[dict[str, Any]] = field(default_factory=list)
    """`pattern`, `mode`, `factor`, `source`: what tokens cost in that mode, as a multiple of each tier's price."""
    additions: Sequence[dict[str, Any]] = field(default_factory=list)
    """`names`, `prices`, `source`: models that the package does not have, or has in other units."""

    def wants(self, name: str) -> bool:
        return bool(re.search(self.keep, name)) and not any(re.search(pattern, name) for pattern, _ in self.left_out)

    def surcharged(self, name: str, bands: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """The same bands once more for each mode that costs more: the tier `us`, and `fast+us` beside `fast`."""
        made = []
        for surcharge in self.surcharges:
            if re.search(surcharge["pattern"], name):
                factor, mode = Decimal(surcharge["factor"]), surcharge["mode"]
                made += [_dearer(band, mode, factor) for band in bands]
        return made


def _dearer(band: dict[str, Any], mode: str, factor: Decimal) -> dict[str, Any]:
    prices = {
        key: format((Decimal(price) * factor).normalize(), "f") if METERS[PRICE_KEYS[key]].per == MILLION else price
        for key, price in band["prices"].items()
    }
    tier = MODES.join((band["service_tier"], mode)) if "service_tier" in band else mode
    return {**band, "prices": prices, "service_tier": tier}


def load() -> Sequence[Section]:
    data = tomllib.loads(PLACE.read_text("utf-8"))
    everywhere = tuple(map(tuple, data.pop("everywhere")["left_out"]))
    sections = []
    for name, table in data.items():
        left_out = (*everywhere, *map(tuple, table.pop("left_out", ())))
        values = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
        sections.append(Section(name, left_out=left_out, **values))
    return sections
