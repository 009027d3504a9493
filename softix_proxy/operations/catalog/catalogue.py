"""The shipped price catalogue: what each provider's models cost, as of the day it was made and from then on.

A section for each type of provider, in a file of its own that is read when it is asked for: start-up pays nothing.
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
    """A price that is announced for a day to come."""

    starts_at_us: int
    sheet_json: str


@dataclass(frozen=True, slots=True)
class CatalogueModel:
    """One name that the provider answers to, and its price."""

    provider_type: str
    name: str
    context: int | None
    """Tokens that one request may bring; None where nobody says."""
    max_output: int | None
    sheet_json: str
    """What `PriceSheet.parse` takes, as JSON text; empty: it has no price yet."""
    later: tuple[AnnouncedPrice, ...] = ()
    """What is to come, in order."""

    @property
    def sheet(self) -> PriceSheet:
        """As of the day that the catalogue was made."""
        return PriceSheet.parse(json.loads(self.sheet_json))

    def versions(self, now_us: int) -> Sequence[tuple[int, PriceSheet]]:
        """(Start, sheet): the one that applies now, and those to come; the first starts now."""
        texts = [AnnouncedPrice(now_us, self.sheet_json)] if self.sheet_json else []
        for start in self.later:
            if start.starts_at_us <= now_us:
                texts = [AnnouncedPrice(now_us, start.sheet_json)]
            else:
                texts.append(start)
        return [(start.starts_at_us, PriceSheet.parse(json.loads(start.sheet_json))) for start in texts]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Holds the shipped list of models with their prices, by provider's type."""

    version: str
    """The day it was made, as `2026.11.23`."""
    sha256: str
    """Of the shipped index, which holds that of each section; in hexadecimal."""
    source: str
    """The package it was made from, and its version."""
    sections: Mapping[str, str]
    """Provider type → SHA-256 of its section."""

    def models(self, provider_type: str) -> tuple[CatalogueModel, ...]:
        """Sorted by name; none for a provider type that the catalogue does not cover.

        Raises FailureError where the section is not the one that was shipped.
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
    """The index; sections are read when they are asked for, and not kept."""
    raw = _read("index.json")
    data = json.loads(raw)
    return Catalogue(
        version=data["version"],
        sha256=hashlib.sha256(raw).hexdigest(),
        source=f"{data['source']['package']} {data['source']['version']}",
        sections={name: section["sha256"] for name, section in data["sections"].items()},
    )
