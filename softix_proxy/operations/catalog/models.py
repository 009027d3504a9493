"""The operations that an operator can run on models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from softix_proxy.domain.access.authorization import is_active
from softix_proxy.domain.catalog.models import NAME, NAME_RULE, Model, ModelStatus
from softix_proxy.domain.catalog.providers import Provider, ProviderStatus
from softix_proxy.domain.core.errors import BadInputError, ConflictError, NotFoundError
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.pricing.prices import PriceVersion
from softix_proxy.domain.pricing.rates import PriceSheet
from softix_proxy.domain.routing.directory import Changes, Directory
from softix_proxy.operations.catalog import providers


@dataclass(frozen=True, slots=True)
class PricedModel:
    """A model with its selling price."""

    model: Model
    provider: Provider
    sheet: PriceSheet | None
    """The price that now applies to a customer without a price of their own. None if requests are refused."""

    @property
    def full_name(self) -> str:
        return f"{self.provider.name}/{self.model.name}"

    @property
    def active(self) -> bool:
        return is_active(self.provider, self.model)


async def list_all(storage: Storage, *, provider: str | None = None, every: bool = False) -> Sequence[PricedModel]:
    """Returns the models that clients may request.

    With `every` it returns the disabled ones too. It never returns those of a removed provider.
    """
    unit = storage.reading()
    only = await providers.find(unit, provider) if provider is not None else None
    hosts = {host.id: host for host in await unit.providers.list()}
    directory = await priced_directory(unit)
    now_us = unit.clock.now_us()
    entries = [
        PricedModel(model, hosts[model.provider_id], _sheet(directory, model, now_us))
        for model in await unit.models.list()
        if only is None or model.provider_id == only.id
    ]
    return [
        entry
        for entry in sorted(entries, key=lambda entry: (entry.provider.id, entry.model.name))
        if entry.active or (every and entry.provider.status is not ProviderStatus.REMOVED)
    ]


async def show(storage: Storage, reference: str) -> PricedModel:
    unit = storage.reading()
    return await _entry(unit, await find(unit, reference))


async def add(
    storage: Storage,
    *,
    name: str,
    provider: str,
    upstream_name: str | None = None,
    sheet: PriceSheet | None = None,
    context_tokens: int | None = None,
    max_output_tokens: int | None = None,
) -> PricedModel:
    """Adds a name that clients may request. Without a sheet it has no price, and requests for it are refused.

    Raises BadInputError. Raises NotFoundError for the provider, and ConflictError if the provider already has the name.
    """
    async with storage.writing() as unit:
        host = await providers.find(unit, provider)
        if host.status is ProviderStatus.REMOVED:
            raise ConflictError(f"the provider {provider!r} was removed", "add it again: softix providers add")
        now_us = unit.clock.now_us()
        asked = Model(
            id=0,
            name=_checked(name),
            provider_id=host.id,
            upstream_name=_checked(upstream_name or name),
            context_tokens=context_tokens,
            max_output_tokens=max_output_tokens,
            status=ModelStatus.ACTIVE,
            created_at_us=now_us,
        )
        [model] = await unit.models.add_all([asked])
        if sheet is not None:
            await unit.prices.add_all([PriceVersion(0, model.id, None, "operator", sheet, now_us, now_us)])
        return PricedModel(model, host, sheet)


async def update(
    storage: Storage,
    reference: str,
    *,
    upstream_name: str | None = None,
    context_tokens: int | None = None,
    max_output_tokens: int | None = None,
    status: ModelStatus | None = None,
) -> PricedModel:
    """Changes the values that are given. Raises NotFoundError, BadInputError."""
    async with storage.writing() as unit:
        model = await find(unit, reference)
        changed = replace(
            model,
            upstream_name=model.upstream_name if upstream_name is None else _checked(upstream_name),
            context_tokens=model.context_tokens if context_tokens is None else context_tokens,
            max_output_tokens=model.max_output_tokens if max_output_tokens is None else max_output_tokens,
            status=model.status if status is None else status,
        )
        await unit.models.update(changed)
        return await _entry(unit, changed)


async def find(unit: Unit, reference: str) -> Model:
    """Returns the model for `provider/model`, or for a name that only one provider has.

    A name that begins with that of a provider never means the model of another one. Raises NotFoundError, or
    BadInputError that lists the candidates.
    """
    host_name, slash, name = reference.partition("/")
    host = await unit.providers.find(host_name) if slash else None
    exact = await unit.models.find(host.id, name) if host is not None else None
    if exact is not None:
        return exact
    named = await unit.models.named(reference)
    found = [model for model in named if host is None or model.provider_id == host.id]
    if not found and named:
        elsewhere = (await unit.providers.get(named[0].provider_id)).name
        raise NotFoundError(f"{host_name} has no model {name!r}", f"for that of {elsewhere}: {elsewhere}/{reference}")
    if not found:
        raise NotFoundError(f"no model {reference!r}", "see: softix models list --all")
    if len(found) > 1:
        names = [f"{(await unit.providers.get(model.provider_id)).name}/{model.name}" for model in found]
        raise BadInputError(f"{reference!r} is more than one model", f"name one of: {', '.join(names)}")
    return found[0]


async def priced_directory(unit: Unit, model_id: int | None = None) -> Directory:
    """Returns a directory with the prices of one model or of all, and with mark-ups.

    It resolves them by the same rules as for a request.
    """
    directory = Directory()
    prices, markups = await unit.prices.list(model_id), await unit.prices.markups()
    directory.apply(Changes(1, prices=tuple(prices), markups=tuple(markups)))
    return directory


NOBODY = 0
"""A user id that no user has. The prices that apply to it apply to everyone without a price of their own."""


async def _entry(unit: Unit, model: Model) -> PricedModel:
    directory = await priced_directory(unit, model.id)
    provider = await unit.providers.get(model.provider_id)
    return PricedModel(model, provider, _sheet(directory, model, unit.clock.now_us()))


def _sheet(directory: Directory, model: Model, now_us: int) -> PriceSheet | None:
    rate = directory.rate(NOBODY, model.id, now_us)
    return None if rate is None else rate.sheet


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise BadInputError(f"not a usable model name: {name!r}", f"{NAME_RULE}, for example llama-3.3-70b")
    return name
