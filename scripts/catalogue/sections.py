"""The reviewed tables of sections.toml: which package provider each section comes from, and what is set right in it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
    additions: Sequence[dict[str, Any]] = field(default_factory=list)
    """`names`, `prices`, `source`: models that the package does not have, or has in other units."""

    def wants(self, name: str) -> bool:
        return bool(re.search(self.keep, name)) and not any(re.search(pattern, name) for pattern, _ in self.left_out)


def load() -> Sequence[Section]:
    data = tomllib.loads(PLACE.read_text("utf-8"))
    everywhere = tuple(map(tuple, data.pop("everywhere")["left_out"]))
    sections = []
    for name, table in data.items():
        left_out = (*everywhere, *map(tuple, table.pop("left_out", ())))
        values = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
        sections.append(Section(name, left_out=left_out, **values))
    return sections
