"""The models: the names that clients request, and the names that providers use."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class ModelStatus(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"


NAME_LETTERS = "A-Za-z0-9._:/@+~-"
"""The characters of names, as a character class contains them."""
NAME = re.compile(rf"[A-Za-z0-9@~_][{NAME_LETTERS}]{{0,127}}", re.ASCII)
"""The form of the name of a model or route, to be matched in full.

Names at Cloudflare begin with `@`, and aliases at OpenRouter with `~`.
"""
NAME_RULE = "letters, digits and . _ : / @ + ~ -, and at first a letter, a digit, @, ~ or _"
DEFAULT_CONTEXT_TOKENS = 1_000_000
"""The context of a model whose context is not known. It bounds input that is not in the body."""
DEFAULT_MAX_OUTPUT_TOKENS = 128_000


@dataclass(frozen=True, slots=True)
class Model:
    id: int
    name: str
    provider_id: int
    upstream_name: str
    context_tokens: int | None
    max_output_tokens: int | None
    status: ModelStatus
    created_at_us: int


class ModelStore(Protocol):
    """Stores the models that clients may request."""

    async def add_all(self, models: Sequence[Model]) -> Sequence[Model]:
        """Adds all models or none, in their order. Ids are ignored and assigned.

        Raises ConflictError if the provider of one has a model of that name. It takes milliseconds under the write
        lock, whatever their number.
        """
        ...

    async def find(self, provider_id: int, name: str) -> Model | None: ...

    async def named(self, name: str) -> Sequence[Model]:
        """Returns the models of this name at any provider that is not removed, the oldest first."""
        ...

    async def get(self, model_id: int) -> Model: ...

    async def list(self) -> Sequence[Model]: ...

    async def update(self, model: Model) -> None:
        """Writes upstream name, context, maximum output and status."""
        ...

    async def disable_all(self, provider_id: int) -> None: ...
