"""Changing the master key, while the daemon runs.

1. The next key is made, in a file beside the first.
2. One transaction makes it the instance's: id, check value, and the pepper under it. From here on new secrets are
   sealed by it, and what the old one sealed still opens, because both are at hand.
3. Each secret's data key is wrapped anew, in a short transaction of its own.
4. The next key takes the old one's place.

Stopped anywhere, everything opens, and the same command goes on from there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from softix_proxy.domain.errors import FailureError
from softix_proxy.domain.ports import Storage
from softix_proxy.domain.providers import Provider, ProviderKey
from softix_proxy.domain.vault import PEPPER_PLACE, SIGNING_KEY_PLACE, Identity, MasterKeys, Vault
from softix_proxy.operations import instance


@dataclass(frozen=True, slots=True)
class Rotation:
    key_id: str
    resumed: bool
    """It ended a change that was begun before, and began none."""
    rewrapped: int
    in_place: bool
    """False: the operator has to put the new key where the old one comes from, and run it again."""


@dataclass(frozen=True, slots=True)
class SecretsStatus:
    key_id: str
    source: str | None
    secrets: int
    outstanding: int
    """Secrets that another master key sealed."""
    rotating: bool
    """A next key lies ready, or has not yet taken the old one's place."""


async def rotate(storage: Storage, keys: MasterKeys) -> Rotation:
    """Raises FailureError where a secret does not open; the others are under the new key then."""
    with keys.changing():
        identity = await instance.require_identity(storage.reading())
        resumed = keys.next_key_id() == identity.key_id
        if resumed:
            vault = keys.open(identity)
        else:
            vault = keys.open_next(identity)
            await _take_over(storage, vault)
        rewrapped = await _rewrap_signing_key(storage, vault) + await _rewrap_all(storage, vault)
        return Rotation(vault.master_key_id, resumed, rewrapped, keys.put_in_place(vault.master_key_id))


async def status(storage: Storage, keys: MasterKeys) -> SecretsStatus:
    """Raises FailureError where the master key is missing or not this instance's."""
    reading = storage.reading()
    vault = keys.open(await instance.require_identity(reading))
    sealed = sum(len(provider.keys) for provider in await reading.providers.list())
    signing_key = await reading.instance.get(instance.SEALED_SIGNING_KEY)
    outstanding = signing_key is not None and not _is_current(vault, signing_key)
    return SecretsStatus(
        key_id=vault.master_key_id,
        source=keys.source(),
        secrets=sealed + (signing_key is not None),
        outstanding=len(await _outstanding(storage, vault)) + outstanding,
        rotating=keys.next_key_id() is not None,
    )


async def _take_over(storage: Storage, vault: Vault) -> None:
    async with storage.writing() as unit:
        before = await instance.require_identity(unit)
        pepper = vault.rewrap_secret(before.sealed_pepper, *PEPPER_PLACE)
        await instance.write(unit, Identity(vault.master_key_id, vault.check_value(), pepper))


async def _rewrap_all(storage: Storage, vault: Vault) -> int:
    """Until nothing is left: a command that began before the change may have sealed by the old key meanwhile."""
    rewrapped = 0
    while outstanding := await _outstanding(storage, vault):
        closed = []
        for provider, key in outstanding:
            try:
                new = vault.rewrap_secret(key.sealed, *provider.place_of(key))
            except FailureError:
                closed.append(provider.name)
            else:
                rewrapped += await _put(storage, provider, key, new)
        if closed:
            raise FailureError(
                f"the keys of these providers do not open: {', '.join(closed)}",
                "give them again with softix providers set-key, then run this again",
            )
    return rewrapped


async def _rewrap_signing_key(storage: Storage, vault: Vault) -> bool:
    """False where there is none, or nothing was to be done."""
    old = await storage.reading().instance.get(instance.SEALED_SIGNING_KEY)
    if old is None or _is_current(vault, old):
        return False
    async with storage.writing() as unit:
        await unit.instance.set(instance.SEALED_SIGNING_KEY, vault.rewrap_secret(old, *SIGNING_KEY_PLACE))
    return True


async def _put(storage: Storage, before: Provider, key: ProviderKey, sealed: bytes) -> bool:
    """False where someone gave another key in the meantime."""
    async with storage.writing() as unit:
        provider = await unit.providers.get(before.id)
        present = next((other for other in provider.keys if other.label == key.label), None)
        if present is None or present.sealed != key.sealed:
            return False
        await unit.providers.update(provider.with_key(replace(present, sealed=sealed)))
        return True


async def _outstanding(storage: Storage, vault: Vault) -> list[tuple[Provider, ProviderKey]]:
    return [
        (provider, key)
        for provider in await storage.reading().providers.list()
        for key in provider.keys
        if not _is_current(vault, key.sealed)
    ]


def _is_current(vault: Vault, blob: bytes) -> bool:
    try:
        return vault.sealed_by(blob) == vault.master_key_id
    except FailureError:
        return False
