"""The shipped price catalogue: what each vendor's models cost, as of the day it was made."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from softix_proxy.domain.pricing import Sheet


@dataclass(frozen=True, slots=True)
class CatalogueModel:
    """One name that the vendor answers to, and its price."""

    provider_type: str
    name: str
    context: int | None
    """Tokens that one request may bring; None where nobody says."""
    max_output: int | None
    sheet_json: str
    """What `Sheet.parse` takes, as JSON text."""

    @property
    def sheet(self) -> Sheet:
        return Sheet.parse(json.loads(self.sheet_json))


@dataclass(frozen=True, slots=True)
class Catalogue:
    version: str
    """The day it was made, as `2026.11.23`."""
    sha256: str
    """Of the shipped file, in hexadecimal."""
    source: str
    """The package it was made from, and its version."""
    all_models: tuple[CatalogueModel, ...]

    def models(self, provider_type: str) -> tuple[CatalogueModel, ...]:
        """Sorted by name; none for a provider type that the catalogue does not cover."""
        return tuple(model for model in self.all_models if model.provider_type == provider_type)

    def find(self, provider_type: str, name: str) -> CatalogueModel | None:
        return next((model for model in self.models(provider_type) if model.name == name), None)


@cache
def load() -> Catalogue:
    """Reads the file at the first call, so that start-up does not pay for what it seldom needs."""
    raw = files("softix_proxy").joinpath("data/catalogue.json").read_bytes()
    data = json.loads(raw)
    return Catalogue(
        version=data["version"],
        sha256=hashlib.sha256(raw).hexdigest(),
        source=f"{data['source']['package']} {data['source']['version']}",
        all_models=tuple(
            CatalogueModel(
                row["provider_type"],
                row["name"],
                row["context"],
                row["max_output"],
                json.dumps(row["sheet"], separators=(",", ":")),
            )
            for row in data["models"]
        ),
    )
