"""The operator's settings for the life of a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

InterruptedCharge = Literal["nothing", "bound"]


@dataclass(frozen=True, slots=True)
class Policy:
    least_output_tokens: int
    interrupted_charge: InterruptedCharge
    drain_limit_s: float
    """How much of a stream is read after a hang-up, where the provider works and bills on anyway."""
    drain_limit_bytes: int
