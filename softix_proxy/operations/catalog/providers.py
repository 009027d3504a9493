"""The operations that an operator can run on providers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Literal

from softix_proxy.domain.catalog import credentials
from softix_proxy.domain.catalog.drop_fields import changed as changed_fields
from softix_proxy.domain.catalog.models import Model, ModelStatus
from softix_proxy.domain.catalog.providers import (
    MAIN,
    PROFILES,
    OnDisconnect,
    Provider,
    ProviderKey,
    ProviderStatus,
    ProviderType,
)
from softix_proxy.domain.catalog.regions import checked_region
from softix_proxy.domain.catalog.unknown_members import UnknownMembersRule
from softix_proxy.domain.core.errors import BadInputError, ConflictError, NotFoundError
from softix_proxy.domain.core.ids import new_public_id
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.domain.pricing.prices import PriceVersion
from softix_proxy.operations.catalog.base_urls import BaseUrl, read_base_url
from softix_proxy.operations.catalog.catalogue import CatalogueModel

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,40}")
_BLANK = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


async def add(
    storage: Storage,
    vault: Vault,
    *,
    name: str,
    kind: ProviderType,
    base_url: str = "",
    version_in_url: bool | None = None,
    key: str | None = None,
    on_hang_up: OnDisconnect | None = None,
    region: str | None = None,
    blanks: Mapping[str, str] = MappingProxyType({}),
    drop_fields: Sequence[str] = (),
    models: Sequence[CatalogueModel] = (),
) -> Provider:
    """Adds a provider with its sealed key, and these models with their current and future prices, in one transaction.

    `blanks` fill the blanks of the type's base URL. `version_in_url` is the value that a probe found; if it is None,
    the URL itself decides. Raises BadInputError, and ConflictError if the name is taken.
    """
    profile = PROFILES[kind]
    base_url = base_url or _filled(kind, blanks)
    if profile.needs_key and key is None:
        raise BadInputError(f"{kind.value} needs an API key", "give --key-stdin, --key-env or --key-file")
    if not base_url and kind is not ProviderType.DEMO:
        raise BadInputError(f"{kind.value} needs its address", "add --base-url, for example http://10.0.0.5:8000")
    found = read_base_url(base_url, kind) if base_url else BaseUrl("")
    asked = Provider(
        id=0,
        public_id=new_public_id("prv"),
        name=checked_name(name),
        type=kind,
        base_url=found.text,
        sealed_key=None,
        on_hang_up=on_hang_up or profile.on_hang_up,
        status=ProviderStatus.ACTIVE,
        created_at_us=storage.reading().clock.now_us(),
        region=profile.region if region is None else checked_region(region),
        version_in_url=found.has_version if version_in_url is None else version_in_url,
        drop_fields=changed_fields((), drop_fields, ()),
    )
    sealed = asked if key is None else _sealed(vault, asked, key)
    now_us = asked.created_at_us
    versions = [model.versions(now_us) for model in models]
    async with storage.writing() as unit:
        provider = await unit.providers.add(sealed)
        enabled = await unit.models.add_all([_model(provider, model) for model in models])
        await unit.prices.add_all(
            [
                PriceVersion(0, model.id, None, "catalogue", sheet, start_us if start_us > now_us else 0, now_us)
                for model, own in zip(enabled, versions, strict=True)
                for start_us, sheet in own  # the first one has always been in force, whatever a clock says
            ]
        )
    return provider


def _filled(kind: ProviderType, blanks: Mapping[str, str]) -> str:
    """Returns the type's base URL with its blanks filled.

    Raises BadInputError if a blank has no value or an invalid one.
    """
    profile = PROFILES[kind]
    for name in profile.blanks:
        if not _BLANK.fullmatch(blanks.get(name, "")):
            raise BadInputError(f"{kind.value} needs its {name}", f"add --{name}, or the whole address as --base-url")
    return profile.filled(blanks)


def _model(provider: Provider, model: CatalogueModel) -> Model:
    return Model(
        id=0,
        name=model.name,
        provider_id=provider.id,
        upstream_name=model.name,
        context_tokens=model.context,
        max_output_tokens=model.max_output,
        status=ModelStatus.ACTIVE,
        created_at_us=provider.created_at_us,
    )


def _sealed(vault: Vault, provider: Provider, text: str, label: str = MAIN, weight: int | None = None) -> Provider:
    """Returns the provider with the sealed key. The key opens only for this provider at this address."""
    text = credentials.normalise(text)
    before = next((key for key in provider.keys if key.label == label), None)
    public_id = before.public_id if before else provider.public_id if label == MAIN else new_public_id("pky")
    key = ProviderKey(public_id, label, b"", weight or (before.weight if before else 1))
    return provider.with_key(replace(key, sealed=vault.seal_secret(text.encode(), *provider.place_of(key))))


async def list_all(storage: Storage) -> Sequence[Provider]:
    """Returns the providers that were not removed."""
    listed = await storage.reading().providers.list()
    return [provider for provider in listed if provider.status is not ProviderStatus.REMOVED]


async def show(storage: Storage, reference: str) -> Provider:
    return await find(storage.reading(), reference)


async def show_id(storage: Storage, public_id: str) -> Provider:
    """Returns the provider with this id, unless it was removed. Raises NotFoundError."""
    provider = await find(storage.reading(), public_id)
    if provider.public_id != public_id or provider.status is ProviderStatus.REMOVED:
        raise NotFoundError(f"no provider has the id {public_id!r}", "see: softix providers list")
    return provider


async def update(
    storage: Storage,
    vault: Vault,
    reference: str,
    *,
    base_url: str | None = None,
    version_in_url: bool | None = None,
    key: str | None = None,
    on_hang_up: OnDisconnect | None = None,
    region: str | None = None,
    drop_fields: Sequence[str] = (),
    keep_fields: Sequence[str] = (),
    unknown_members: UnknownMembersRule | Literal[""] | None = None,
) -> Provider:
    """Changes the values that are given. An empty region or rule removes it. `keep_fields` are sent again.

    Raises NotFoundError, BadInputError, and ConflictError if a new address needs the key.
    """
    async with storage.writing() as unit:
        provider = await present(unit, reference)
        found = _moved(provider, base_url)
        changed = replace(
            provider,
            base_url=found.text,
            version_in_url=found.has_version if version_in_url is None else version_in_url,
            on_hang_up=on_hang_up or provider.on_hang_up,
            region=provider.region if region is None else checked_region(region) if region else None,
            drop_fields=changed_fields(provider.drop_fields, drop_fields, keep_fields),
            unknown_members=provider.unknown_members if unknown_members is None else unknown_members or None,
        )
        if changed.origin != provider.origin and provider.more_keys:
            raise ConflictError(
                "its keys are sealed for the old address",
                f"remove them, and add them again: softix providers remove-key {provider.name} LABEL",
            )
        if key is not None:
            changed = _sealed(vault, changed, key)
        elif changed.origin != provider.origin and provider.sealed_key is not None:
            raise ConflictError("the key is sealed for the old address", "give the key again, with --key-stdin")
        await unit.providers.update(changed)
        return changed


def _moved(provider: Provider, base_url: str | None) -> BaseUrl:
    """Returns the new base URL. The URL that is shown for the provider changes nothing if it is given again."""
    here = BaseUrl(provider.base_url, provider.version_in_url)
    if base_url is None:
        return here
    found = read_base_url(base_url, provider.type)
    return here if found.text == here.text and not found.is_settled else found


async def set_key(
    storage: Storage,
    vault: Vault,
    reference: str,
    text: str | None,
    *,
    label: str = MAIN,
    weight: int | None = None,
    add: bool = False,
) -> Provider:
    """Replaces the key of that label, or adds one. Without a text it changes only the key's weight.

    Raises NotFoundError, BadInputError, ConflictError.
    """
    if not _NAME.fullmatch(label):
        raise BadInputError(f"not a label: {label!r}", "small letters, digits and . _ -, for example second")
    async with storage.writing() as unit:
        provider = await present(unit, reference)
        known = next((key for key in provider.keys if key.label == label), None)
        if add and known is not None:
            raise ConflictError(f"{provider.name} has a key {label!r}", "choose another label, or leave --add out")
        if known is None and not add and label != MAIN:
            raise NotFoundError(f"{provider.name} has no key {label!r}", "see: softix providers show, or give --add")
        if text is not None:
            changed = _sealed(vault, provider, text, label, weight)
        elif known is None or weight is None:
            raise BadInputError("there is no key", "give --key-stdin, --key-env or --key-file")
        else:
            changed = provider.with_key(replace(known, weight=weight))
        await unit.providers.update(changed)
        return changed


async def remove_key(storage: Storage, reference: str, label: str) -> Provider:
    """Removes the key and wipes its ciphertext.

    Raises NotFoundError. Raises ConflictError for the only key of a provider that needs one.
    """
    async with storage.writing() as unit:
        provider = await present(unit, reference)
        if label not in [key.label for key in provider.keys]:
            raise NotFoundError(f"{provider.name} has no key {label!r}", f"see: softix providers show {provider.name}")
        if provider.profile.needs_key and len(provider.keys) == 1:
            raise ConflictError(
                f"it is the only key of {provider.name}", f"replace it: softix providers set-key {provider.name}"
            )
        if label == MAIN:
            changed = replace(provider, sealed_key=None, key_weight=1)
        else:
            changed = replace(provider, more_keys=tuple(key for key in provider.more_keys if key.label != label))
        await unit.providers.update(changed)
        return changed


async def set_status(storage: Storage, reference: str, status: ProviderStatus) -> Provider:
    async with storage.writing() as unit:
        changed = replace(await present(unit, reference), status=status)
        await unit.providers.update(changed)
        return changed


async def remove(storage: Storage, reference: str) -> Provider:
    """Removes the provider: wipes its key, disables its models and frees its name. Its costs stay in the books."""
    async with storage.writing() as unit:
        provider = await present(unit, reference)
        removed = replace(
            provider, name=provider.public_id, sealed_key=None, more_keys=(), status=ProviderStatus.REMOVED
        )
        await unit.providers.update(removed)
        await unit.models.disable_all(provider.id)
        return removed


async def find(unit: Unit, reference: str) -> Provider:
    """Returns the provider with this id or name. Raises NotFoundError."""
    provider = await unit.providers.find(reference)
    if provider is None:
        raise NotFoundError(f"no provider {reference!r}", "see: softix providers list")
    return provider


async def present(unit: Unit, reference: str) -> Provider:
    """Returns the provider unless it was removed. Raises NotFoundError, ConflictError."""
    provider = await find(unit, reference)
    if provider.status is ProviderStatus.REMOVED:
        raise ConflictError(f"the provider {reference!r} was removed", "add it again: softix providers add")
    return provider


def checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise BadInputError(
            f"not a usable name: {name!r}", "small letters, digits and . _ -, at most 41, for example openai"
        )
    return name
