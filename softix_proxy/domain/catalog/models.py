"""Models: the names that clients ask for, and what they are called where they run."""

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
"""Of which names are made, as a class of characters has them."""
NAME = re.compile(rf"[A-Za-z0-9@~_][{NAME_LETTERS}]{{0,127}}", re.ASCII)
"""Of a model or a route, to be matched in full; Cloudflare's begin with `@`, aliases at OpenRouter with `~`."""
NAME_RULE = "letters, digits and . _ : / @ + ~ -, and at first a letter, a digit, @, ~ or _"
DEFAULT_CONTEXT_TOKENS = 1_000_000
"""Where a model's context is not known: the bound on input that is not in the body."""
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
    """Keeps the models that clients may ask for."""

    async def add_all(self, models: Sequence[Model]) -> Sequence[Model]:
        """All or none, in their order; ids are ignored and given. Raises ConflictError if one's provider has its name.

        However many, it is a matter of milliseconds under the write lock.
        """
        ...

    async def find(self, provider_id: int, name: str) -> Model | None: ...

    async def named(self, name: str) -> Sequence[Model]:
        """Those of this name at any provider that is not removed, the oldest first."""
        ...

    async def get(self, model_id: int) -> Model: ...

    async def list(self) -> Sequence[Model]: ...

    async def update(self, model: Model) -> None:
        """Writes upstream name, context, maximum output and status."""
        ...

    async def disable_all(self, provider_id: int) -> None: ...
