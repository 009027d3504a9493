"""Offers all models of a provider, or those of a pattern, that the shipped catalogue has a price for.

The provider keeps the pattern. So whoever requests a model of the pattern that has no price is told so, and what sets
one, in place of hearing that there is no such model. Nothing is free because of a pattern.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from softix_proxy.domain.access.rights import is_pattern, provider_named_in
from softix_proxy.domain.catalog.models import Model, ModelStatus
from softix_proxy.domain.catalog.providers import Provider, ProviderStatus
from softix_proxy.domain.core.errors import BadInputError, ConflictError, NotFoundError
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.pricing.prices import PriceVersion
from softix_proxy.operations.catalog import providers
from softix_proxy.operations.catalog.catalogue import CatalogueModel

_MOST = 20


@dataclass(frozen=True, slots=True)
class OfferedPattern:
    """A pattern of models at a provider, and the models that it stands for."""

    provider: Provider
    pattern: str
    models: Sequence[Model]
    added: Sequence[str] = ()
    """The names of the models that were not there before."""


async def provider_of(storage: Storage, name: str, provider: str | None) -> tuple[Provider, str]:
    """Returns the provider that a pattern names, as in `openai/gpt-*`, and the pattern of its models.

    With `provider`, the pattern may leave it out. Raises BadInputError, NotFoundError.
    """
    unit = storage.reading()
    names = {each.name for each in await unit.providers.list() if each.status is not ProviderStatus.REMOVED}
    named = provider_named_in(name, names)
    if provider is not None:
        return await providers.find(unit, provider), name.removeprefix(f"{provider}/")
    if not named:
        raise BadInputError(
            f"{name!r} names no provider that there is", "write for example 'openai/*'; see: softix providers list"
        )
    return await providers.find(unit, named), name.partition("/")[2]


async def add(storage: Storage, provider: Provider, pattern: str, priced: Sequence[CatalogueModel]) -> OfferedPattern:
    """Adds each priced model of the pattern that the provider has not, and keeps the pattern at the provider.

    A model that is there stays as it is, also if it is disabled. Raises BadInputError, ConflictError.
    """
    if not is_pattern(pattern):
        raise BadInputError(f"not a pattern of model names: {pattern!r}", "write for example 'openai/gpt-*'")
    wanted = [model for model in priced if fnmatchcase(model.name, pattern) and model.sheet_json]
    if not wanted:
        raise BadInputError(
            f"the catalogue has no price for a model of {provider.name} like {pattern!r}",
            f"add models with prices of your own: softix models add NAME --provider {provider.name} --input 1.00",
        )
    async with storage.writing() as unit:
        host = await providers.find(unit, provider.name)
        if host.status is ProviderStatus.REMOVED:
            raise ConflictError(f"the provider {host.name!r} was removed", "add it again: softix providers add")
        known = {model.name for model in await unit.models.list() if model.provider_id == host.id}
        fresh = [model for model in wanted if model.name not in known]
        await _add_all(unit, host, fresh)
        if pattern not in host.model_patterns:
            if len(host.model_patterns) >= _MOST:
                raise ConflictError(f"a provider has at most {_MOST} patterns", "write a wider one, such as '*'")
            host = replace(host, model_patterns=(*host.model_patterns, pattern))
            await unit.providers.update(host)
        return replace(await _offered(unit, host, pattern), added=[model.name for model in fresh])


async def show(storage: Storage, provider: Provider, pattern: str) -> OfferedPattern:
    """Returns the pattern, if the provider has it. Raises NotFoundError."""
    if pattern not in provider.model_patterns:
        raise NotFoundError(
            f"{provider.name} has no pattern {pattern!r}", f"add it: softix models add '{provider.name}/*'"
        )
    return await _offered(storage.reading(), provider, pattern)


async def set_status(storage: Storage, provider: Provider, pattern: str, status: ModelStatus) -> OfferedPattern:
    """Enables or disables every model of the pattern. A pattern whose models are disabled is not kept."""
    async with storage.writing() as unit:
        host = await providers.find(unit, provider.name)
        for model in (await _offered(unit, host, pattern)).models:
            if model.status is not status:
                await unit.models.update(replace(model, status=status))
        if status is ModelStatus.DISABLED and pattern in host.model_patterns:
            host = replace(host, model_patterns=tuple(each for each in host.model_patterns if each != pattern))
            await unit.providers.update(host)
        return await _offered(unit, host, pattern)


def as_fields(offered: OfferedPattern) -> dict[str, Any]:
    """Returns the fields as the CLI shows them: those of a model, and what the pattern stands for."""
    active = [model.name for model in offered.models if model.status is ModelStatus.ACTIVE]
    return {
        "name": offered.pattern,
        "provider": offered.provider.name,
        "upstream_name": None,
        "context": None,
        "max_output": None,
        "status": "active" if offered.pattern in offered.provider.model_patterns else "disabled",
        "priced": True,
        "prices": None,
        "added": list(offered.added),
        "models": sorted(active),
        "disabled": sorted(model.name for model in offered.models if model.name not in active),
    }


async def _add_all(unit: Unit, host: Provider, fresh: Sequence[CatalogueModel]) -> None:
    now_us = unit.clock.now_us()
    added = await unit.models.add_all(
        [
            Model(0, model.name, host.id, model.name, model.context, model.max_output, ModelStatus.ACTIVE, now_us)
            for model in fresh
        ]
    )
    versions = [
        PriceVersion(0, model.id, None, "catalogue", sheet, start_us if start_us > now_us else 0, now_us)
        for model, known in zip(added, fresh, strict=True)
        for start_us, sheet in known.versions(now_us)
    ]
    await unit.prices.add_all(versions)


async def _offered(unit: Unit, host: Provider, pattern: str) -> OfferedPattern:
    models = [model for model in await unit.models.list() if model.provider_id == host.id]
    return OfferedPattern(host, pattern, [model for model in models if fnmatchcase(model.name, pattern)])
