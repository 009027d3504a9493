"""The limits a minute of a key for the models of a pattern, beside those of the key for all models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from softix_proxy.domain.access import limits
from softix_proxy.domain.access.keys import ModelRate
from softix_proxy.domain.core.errors import Code


@dataclass(slots=True)
class ModelRateState:
    """The clocks of the limits of one key and pattern."""

    rpm_tat_us: int = 0
    tpm_tat_us: int = 0

    def come_back(self, now_us: int) -> None:
        """Corrects instants that these limits cannot have seen yet. A clock that was ahead has left them."""
        if self.rpm_tat_us > now_us + limits.MINUTE_US:
            self.rpm_tat_us = now_us
        self.tpm_tat_us = limits.credible(self.tpm_tat_us, now_us)


ModelRateStates = Mapping[str, ModelRateState]
"""The states of one key by their patterns."""


class TooFast(NamedTuple):
    """A request that comes too early for one of the limits."""

    code: Code
    wait_us: int
    limit: str
    """The words that name the limit."""


def arrive(
    rates: Sequence[ModelRate], states: ModelRateStates, tokens: int, now_us: int
) -> list[ModelRateState] | TooFast:
    """Returns the states after the request, one for each limit, or the limit that it comes too early for."""
    after = []
    for rate in rates:
        state = states[rate.models]
        rpm_tat_us, tpm_tat_us = state.rpm_tat_us, state.tpm_tat_us
        if rate.rpm is not None:
            rpm_tat_us, wait_us = limits.arrive(rpm_tat_us, now_us, rate.rpm)
            if wait_us:
                return TooFast(Code.RATE_LIMITED, wait_us, f"{rate.rpm} requests a minute for {rate.models}")
        if rate.tpm is not None:
            tpm_tat_us, wait_us = limits.arrive(tpm_tat_us, now_us, rate.tpm, min(tokens, rate.tpm))
            if wait_us:
                return TooFast(Code.TOKENS_LIMITED, wait_us, f"{rate.tpm} tokens a minute for {rate.models}")
        after.append(ModelRateState(rpm_tat_us, tpm_tat_us))
    return after


def count(rates: Sequence[ModelRate], states: ModelRateStates, after: Sequence[ModelRateState]) -> None:
    """Counts an admitted request."""
    for rate, new in zip(rates, after, strict=True):
        state = states[rate.models]
        state.rpm_tat_us, state.tpm_tat_us = new.rpm_tat_us, new.tpm_tat_us


def adjust(rate: ModelRate, state: ModelRateState, tokens_held: int, tokens_used: int, now_us: int) -> None:
    """Replaces the tokens that were set aside for a request by those that it used."""
    if rate.tpm is not None:
        unforeseen = tokens_used - min(tokens_held, rate.tpm)
        state.tpm_tat_us = limits.adjust(state.tpm_tat_us, now_us, rate.tpm, unforeseen)
