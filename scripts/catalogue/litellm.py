"""LiteLLM's published price list (MIT), read out of its wheel: names and limits, and prices to compare with."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from catalogue.sections import Section

LIST = "litellm/model_prices_and_context_window_backup.json"
_MILLION = 10**6
PRICE_KEYS: dict[str, tuple[str, int]] = {
    "input_cost_per_token": ("input", _MILLION),
    "output_cost_per_token": ("output", _MILLION),
    "output_cost_per_reasoning_token": ("reasoning", _MILLION),
    "cache_read_input_token_cost": ("cached_input", _MILLION),
    "cache_creation_input_token_cost": ("cache_write_5m", _MILLION),
    "cache_creation_input_token_cost_above_1hr": ("cache_write_1h", _MILLION),
    "input_cost_per_audio_token": ("audio_input", _MILLION),
    "output_cost_per_audio_token": ("audio_output", _MILLION),
    "cache_read_input_audio_token_cost": ("cached_audio_input", _MILLION),
    "input_cost_per_image_token": ("image_input", _MILLION),
    "output_cost_per_image_token": ("image_output", _MILLION),
    "cache_read_input_image_token_cost": ("cached_image_input", _MILLION),
    "input_cost_per_character": ("character", _MILLION),
    "input_cost_per_query": ("search_unit", 1000),
}
"""Their key → ours, and by what to multiply."""
TIERS = {"": "standard", "_flex": "flex", "_priority": "priority", "_batches": "batch"}


@dataclass(frozen=True, slots=True)
class Entry:
    key: str
    fields: dict[str, Any]

    def limit(self, name: str) -> int | None:
        value = self.fields.get(name)
        return int(value) if value and str(value).isdigit() else None

    @property
    def mode(self) -> str:
        return str(self.fields.get("mode", ""))

    def prices(self) -> Iterator[tuple[str, int, str, Decimal]]:
        """(Tier, above so many input tokens, our price key, USD per our unit)."""
        for field, (key, factor) in PRICE_KEYS.items():
            for suffix, tier in TIERS.items():
                yield from self._price(tier, 0, key, self.fields.get(field + suffix), factor)
                for thousands in (100, 128, 200, 256, 272, 512):
                    value = self.fields.get(f"{field}_above_{thousands}k_tokens{suffix}")
                    yield from self._price(tier, thousands * 1000, key, value, factor)
        if self.mode == "audio_transcription":
            yield from self._price("standard", 0, "audio_second", self.fields.get("input_cost_per_second"), 1)

    def tiers(self, bands: Sequence[Mapping[str, Any]], context: int | None) -> Iterator[dict[str, Any]]:
        """Bands of service tiers that these have none of; only where both lists agree on the standard prices.

        What a tier does not state costs what it does in the standard one.
        """
        standard: Mapping[str, str] = bands[0]["prices"]
        needed = {"input", "output"} & standard.keys()
        stated = self._stated(context)
        known = stated.pop("standard", {}).get(0, {})
        if not needed or any(known.get(key) != Decimal(standard[key]) for key in needed):
            return
        have = {band.get("service_tier") for band in bands}
        for tier, made in sorted(stated.items()):
            if tier not in have and needed <= made.get(0, {}).keys():
                yield from ({**band, "service_tier": tier} for band in _bands(standard, made))

    def standard(self, context: int | None) -> list[dict[str, Any]]:
        """Bands of the standard tier, as this list has them; none where it has no price."""
        return list(_bands({}, self._stated(context).get("standard", {})))

    def _stated(self, context: int | None) -> dict[str, dict[int, dict[str, Decimal]]]:
        """Tier → above so many tokens, as far as the context reaches → prices."""
        stated: dict[str, dict[int, dict[str, Decimal]]] = {}
        for tier, above, key, price in self.prices():
            if context is None or above < context:
                stated.setdefault(tier, {}).setdefault(above, {})[key] = price
        return stated

    def _price(
        self, tier: str, above: int, key: str, value: object, factor: int
    ) -> Iterator[tuple[str, int, str, Decimal]]:
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            yield tier, above, key, (Decimal(value) * factor).quantize(Decimal("1e-9")).normalize()


def _bands(base: Mapping[str, str], made: Mapping[int, Mapping[str, Decimal]]) -> Iterator[dict[str, Any]]:
    """What a band does not state is as in the one before."""
    prices = dict(base)
    for above in sorted(made):
        prices = prices | {key: format(price, "f") for key, price in made[above].items() if price}
        yield ({"above_input_tokens": above} if above else {}) | {"prices": dict(sorted(prices.items()))}


class LiteLLM:
    def __init__(self, wheel: Path) -> None:
        with zipfile.ZipFile(wheel) as archive:
            raw = archive.read(LIST)
        self.version = wheel.name.split("-")[1]
        self.sha256 = hashlib.sha256(raw).hexdigest()
        self._entries: dict[str, dict[str, Any]] = json.loads(raw, parse_float=Decimal)

    def names(self, section: Section) -> Iterator[str]:
        """As the provider itself spells them."""
        for key, fields in self._entries.items():
            if fields.get("litellm_provider") in section.litellm_providers:
                for prefix in section.litellm_prefixes:
                    rest = key.removeprefix(prefix)
                    if key.startswith(prefix) and (section.name not in ("bedrock", "azure") or "/" not in rest):
                        yield rest
                        break

    def find(self, section: Section, name: str) -> Entry | None:
        for prefix in section.litellm_prefixes:
            fields = self._entries.get(prefix + name)
            if fields is not None and fields.get("litellm_provider") in section.litellm_providers:
                return Entry(prefix + name, fields)
        return None
