"""The shipped price catalogue: the prices of each provider's models, from the day on which the catalogue was made.

Each type of provider has a section in a file of its own. A section is read when it is requested, so start-up costs
nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from softix_proxy.domain.core.clock import parse_instant
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.pricing.rates import PriceSheet

_FOLDER = "data/catalogue"


class AnnouncedPrice(NamedTuple):
    """A price that is announced for a future day."""

    starts_at_us: int
    sheet_json: str


@dataclass(frozen=True, slots=True)
class CatalogueModel:
    """One model name that the provider accepts, and its price."""

    provider_type: str
    name: str
    context: int | None
    """The most tokens that one request may have. None if nobody states it."""
    max_output: int | None
    sheet_json: str
    """The price sheet as JSON text that `PriceSheet.parse` reads. It is empty if the model has no price yet."""
    later: tuple[AnnouncedPrice, ...] = ()
    """The announced prices in order of their start."""

    @property
    def sheet(self) -> PriceSheet:
        """Returns the price sheet of the day on which the catalogue was made."""
        return PriceSheet.parse(json.loads(self.sheet_json))

    def versions(self, now_us: int) -> Sequence[tuple[int, PriceSheet]]:
        """Returns pairs (start, sheet): the sheet that applies now, and the future ones. The first one starts now."""
        texts = [AnnouncedPrice(now_us, self.sheet_json)] if self.sheet_json else []
        for start in self.later:
            if start.starts_at_us <= now_us:
                texts = [AnnouncedPrice(now_us, start.sheet_json)]
            else:
                texts.append(start)
        return [(start.starts_at_us, PriceSheet.parse(json.loads(start.sheet_json))) for start in texts]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The shipped list of models with their prices, by type of provider."""

    version: str
    """The day on which the catalogue was made, such as `2026.11.23`."""
    sha256: str
    """The SHA-256 of the shipped index in hexadecimal. The index holds the SHA-256 of each section."""
    source: str
    """The package from which the catalogue was made, and its version."""
    sections: Mapping[str, str]
    """Provider type → SHA-256 of its section."""

    def models(self, provider_type: str) -> tuple[CatalogueModel, ...]:
        """Returns the models of a type of provider, sorted by name.

        The result is empty if the catalogue does not cover the type.

        Raises FailureError if the section is not the shipped one.
        """
        if provider_type not in self.sections:
            return ()
        raw = _read(f"{provider_type}.jsonl")
        if hashlib.sha256(raw).hexdigest() != self.sections[provider_type]:
            raise FailureError(f"the catalogue's section {provider_type} is damaged", "install softix-proxy again")
        return tuple(_model(provider_type, json.loads(line)) for line in raw.splitlines())

    def find(self, provider_type: str, name: str) -> CatalogueModel | None:
        return next((model for model in self.models(provider_type) if model.name == name), None)


def _read(name: str) -> bytes:
    return files("softix_proxy").joinpath(_FOLDER, name).read_bytes()


def _text(sheet: object) -> str:
    return json.dumps(sheet, separators=(",", ":"))


def _model(provider_type: str, row: Mapping[str, Any]) -> CatalogueModel:
    later = tuple(AnnouncedPrice(parse_instant(start["from"]), _text(start["sheet"])) for start in row.get("later", ()))
    return CatalogueModel(provider_type, row["name"], row["context"], row["max_output"], _text(row["sheet"]), later)


@cache
def load() -> Catalogue:
    """Reads the index. Sections are read when they are requested, and are not kept."""
    raw = _read("index.json")
    data = json.loads(raw)
    return Catalogue(
        version=data["version"],
        sha256=hashlib.sha256(raw).hexdigest(),
        source=f"{data['source']['package']} {data['source']['version']}",
        sections={name: section["sha256"] for name, section in data["sections"].items()},
    )
