"""What gets lost between two dialects, as data: the code asks here what becomes of it, and the reference is made of it.

What a client's dialect can say and the canonical form cannot is in READING, under the client's dialect; what the
canonical form can say and the provider's dialect cannot, in WRITING, under the provider's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

from softix_proxy.dialects.fields import invalid
from softix_proxy.dialects.translate.loss_table import ANSWERS, CARRIED, NAMES, READING, WRITING, Loss


class LossTreatment(StrEnum):
    REFUSED = "refused"
    """Without it the request would mean something else."""
    DROPPED = "dropped"
    APPROXIMATED = "approximated"


class Losses:
    """What one request lost, in one direction. `found` is in the order of finding, each once."""

    def __init__(self, table: Mapping[str, Loss], found: dict[str, None]) -> None:
        self._table = table
        self.found = found

    def meet(self, name: str) -> None:
        """Raises RefusedError if a request that says this must not be sent without."""
        loss = self._table[name]
        if loss.fate == LossTreatment.REFUSED:
            raise invalid(f"`{name}` cannot be translated for this model: {loss.reason}")
        self.found[name] = None


def losses(client: str, provider: str) -> tuple[Losses, Losses]:
    """For reading and for writing a request; both note in the same list."""
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
    """The table of one direction: of what the provider's dialect lacks, only what the client's can say."""
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
