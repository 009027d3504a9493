"""Looks up what a translation between two dialects loses. The reference pages are made from the same table.

READING has, under the client's dialect, what this dialect can say and the canonical form cannot. WRITING has, under the
provider's dialect, what the canonical form can say and this dialect cannot.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

from softix_proxy.dialects.canonical.loss_table import ANSWERS, CARRIED, NAMES, READING, WRITING, Loss
from softix_proxy.dialects.request.fields import invalid


class LossTreatment(StrEnum):
    REFUSED = "refused"
    """The request would mean something else without it, so it is refused."""
    DROPPED = "dropped"
    APPROXIMATED = "approximated"


class Losses:
    """The losses of one request in one direction. `found` has each of them once, in the order of finding."""

    def __init__(self, table: Mapping[str, Loss], found: dict[str, None]) -> None:
        self._table = table
        self.found = found

    def meet(self, name: str) -> None:
        """Notes a loss. Raises RefusedError if a request with this field must not be sent without it."""
        loss = self._table[name]
        if loss.fate == LossTreatment.REFUSED:
            raise invalid(f"`{name}` cannot be translated for this model: {loss.reason}")
        self.found[name] = None


def losses(client: str, provider: str) -> tuple[Losses, Losses]:
    """Returns the losses for reading and for writing a request. Both note them in the same list."""
    found: dict[str, None] = {}
    return Losses(READING[client], found), Losses(_writing(provider), found)


def _writing(provider: str) -> Mapping[str, Loss]:
    own = CARRIED.get(provider)
    return WRITING[provider] if own is None else {**WRITING["messages"], **own}


class LossRow(NamedTuple):
    field: str
    fate: str
    reason: str


def rows(client: str, provider: str) -> Iterator[LossRow]:
    """Yields the table of one direction.

    Of the losses at the provider's dialect, it has only those that the client's dialect can say.
    """
    for name, loss in sorted(READING[client].items()):
        yield LossRow(name, loss.fate, loss.reason)
    unsaid = {name for name, loss in WRITING[client].items() if loss.fate != LossTreatment.APPROXIMATED}
    for name, loss in sorted(WRITING[provider].items()):
        if client in loss.clients or (not loss.clients and name not in unsaid):
            yield LossRow(name, loss.fate, loss.reason)
    for name, loss in sorted(ANSWERS.items()):
        if provider in loss.clients and client not in loss.kept_by:
            yield LossRow(f"answer: {name}", loss.fate, loss.reason)


def directions() -> Iterator[tuple[str, str]]:
    return ((client, provider) for client in READING for provider in NAMES if client != provider)
