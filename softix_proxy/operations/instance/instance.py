"""The identity of an instance: the master key with which it was made, and the key that signs its exports."""

from __future__ import annotations

from softix_proxy.domain.core.errors import ConflictError, FailureError
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.ports.vault import Identity, Signer, Vault

_KEY_ID, _CHECK_VALUE, _SEALED_PEPPER = "master_key_id", "master_key_check", "sealed_pepper"
SEALED_SIGNING_KEY = "sealed_signing_key"


async def identity(unit: Unit) -> Identity | None:
    """Returns the identity, or None if the database was made but `softix init` did not end."""
    key_id = await unit.instance.get(_KEY_ID)
    check_value = await unit.instance.get(_CHECK_VALUE)
    sealed_pepper = await unit.instance.get(_SEALED_PEPPER)
    if key_id is None or check_value is None or sealed_pepper is None:
        return None
    return Identity(key_id.decode(), check_value, sealed_pepper)


async def require_identity(unit: Unit) -> Identity:
    """Returns the identity. Raises FailureError if there is none."""
    known = await identity(unit)
    if known is None:
        raise FailureError("the instance has no master key yet", "run: softix init")
    return known


async def record(storage: Storage, new: Identity) -> None:
    """Records the identity once.

    Raises ConflictError if there is one, because a second pepper would void every API key.
    """
    async with storage.writing() as unit:
        if await identity(unit) is not None:
            raise ConflictError("the instance has its master key already", "see: softix secrets status")
        await write(unit, new)


async def write(unit: Unit, new: Identity) -> None:
    await unit.instance.set(_KEY_ID, new.key_id.encode())
    await unit.instance.set(_CHECK_VALUE, new.check_value)
    await unit.instance.set(_SEALED_PEPPER, new.sealed_pepper)


async def signer(storage: Storage, vault: Vault) -> Signer:
    """Returns a signer with the key that signs this instance's exports. The key is made at the first call."""
    sealed = await storage.reading().instance.get(SEALED_SIGNING_KEY)
    if sealed is None:
        async with storage.writing() as unit:
            sealed = await unit.instance.get(SEALED_SIGNING_KEY)
            if sealed is None:
                sealed = vault.new_signing_key()
                await unit.instance.set(SEALED_SIGNING_KEY, sealed)
    return vault.signer(sealed)
