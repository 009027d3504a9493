"""Lists the bounds that were exceeded, and ends what holds are widened by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from softix_proxy.domain.core.errors import NotFoundError
from softix_proxy.domain.metering.bounds import WidenedBound
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.operations.catalog import models


@dataclass(frozen=True, slots=True)
class NamedBound:
    """A bound that was exceeded, with the names of its model and provider."""

    bound: WidenedBound
    model: str
    provider: str

    @property
    def full_name(self) -> str:
        return f"{self.provider}/{self.model}"


async def list_all(storage: Storage, *, only_wider: bool = False) -> Sequence[NamedBound]:
    """Returns the bounds that were exceeded, the latest first. `only_wider` leaves out those that were reset."""
    unit = storage.reading()
    found = await unit.bounds.list()
    return [await _named(unit, bound) for bound in found if bound.is_wider or not only_wider]


async def reset(storage: Storage, reference: str, member: str | None = None) -> Sequence[NamedBound]:
    """Ends the widening of a model, or of one member of its requests. Returns the bounds that were wider.

    Raises NotFoundError if there is none.
    """
    async with storage.writing() as unit:
        model = await models.find(unit, reference)
        found = [
            bound
            for bound in await unit.bounds.list()
            if bound.model_id == model.id and bound.is_wider and member in (None, bound.member)
        ]
        if not found:
            raise NotFoundError(f"no bound of {reference!r} is widened", "see: softix bounds list")
        for bound in found:
            await unit.bounds.reset(bound.id)
        return [await _named(unit, bound) for bound in found]


async def _named(unit: Unit, bound: WidenedBound) -> NamedBound:
    model = await unit.models.get(bound.model_id)
    return NamedBound(bound, model.name, (await unit.providers.get(model.provider_id)).name)
