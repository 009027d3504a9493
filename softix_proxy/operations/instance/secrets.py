"""Changes the master key while the daemon runs.

1. The next key is made in a file beside the first one.
2. One transaction makes it the key of the instance: it writes the id, the check value, and the pepper under the new
key. From here on the new key seals new secrets. Secrets that the old key sealed still open, because both keys are at
hand.
3. Each secret's data key is wrapped anew, in a short transaction of its own.
4. The next key replaces the old one.

If the change stops at any point, everything still opens, and the same command continues from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from softix_proxy.domain.catalog.providers import Provider, ProviderKey
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.domain.ports.vault import PEPPER_PLACE, SIGNING_KEY_PLACE, Identity, MasterKeys, Vault
from softix_proxy.operations.accounts import factors, oidc
from softix_proxy.operations.core.bound_secret import BoundSecret, SealedCount
from softix_proxy.operations.instance import instance
from softix_proxy.operations.ledger import payment_keys
from softix_proxy.operations.notices import mail_password, outbox, webhooks

BOUND: Sequence[BoundSecret] = (mail_password.SECRET, oidc.SECRET, *payment_keys.SECRETS)
"""The secrets of which the instance has one each."""


@dataclass(frozen=True, slots=True)
class Rotation:
    key_id: str
    resumed: bool
    """Whether this call finished a change that was begun before, and began none."""
    rewrapped: int
    in_place: bool
    """Whether the new key is in place.

    If not, the operator must put it where the old one comes from, and run this again.
    """


@dataclass(frozen=True, slots=True)
class SecretsStatus:
    key_id: str
    source: str | None
    secrets: int
    outstanding: int
    """The number of secrets that another master key sealed."""
    rotating: bool
    """Whether a next key exists that has not yet replaced the old one."""


async def rotate(storage: Storage, keys: MasterKeys) -> Rotation:
    """Changes the master key. Raises FailureError if a secret does not open; all others are then under the new key."""
    with keys.changing():
        identity = await instance.require_identity(storage.reading())
        resumed = keys.next_key_id() == identity.key_id
        if resumed:
            vault = keys.open(identity)
        else:
            vault = keys.open_next(identity)
            await _take_over(storage, vault)
        rewrapped = await _rewrap_everything(storage, vault)
        return Rotation(vault.master_key_id, resumed, rewrapped, keys.put_in_place(vault.master_key_id))


async def status(storage: Storage, keys: MasterKeys) -> SecretsStatus:
    """Returns the state of the secrets. Raises FailureError if the master key is missing or not this instance's."""
    reading = storage.reading()
    vault = keys.open(await instance.require_identity(reading))
    signing_key = await reading.instance.get(instance.SEALED_SIGNING_KEY)
    counts = [
        SealedCount(
            sum(len(provider.keys) for provider in await reading.providers.list()),
            len(await _outstanding(storage, vault)),
        ),
        SealedCount(signing_key is not None, signing_key is not None and not _is_current(vault, signing_key)),
        await outbox.count(reading, vault),
        await factors.count(reading, vault),
        await webhooks.count(reading, vault),
        *[await secret.count(reading, vault) for secret in BOUND],
    ]
    return SecretsStatus(
        key_id=vault.master_key_id,
        source=keys.source(),
        secrets=sum(count.stored for count in counts),
        outstanding=sum(count.outstanding for count in counts),
        rotating=keys.next_key_id() is not None,
    )


async def _rewrap_everything(storage: Storage, vault: Vault) -> int:
    """Wraps every secret anew, and returns how many. Raises the first failure after all others were wrapped."""
    rewrapped, failures = 0, list[FailureError]()
    for rewrap in (
        _rewrap_signing_key,
        _rewrap_all,
        outbox.rewrap,
        factors.rewrap,
        webhooks.rewrap,
        *(secret.rewrap for secret in BOUND),
    ):
        try:
            rewrapped += await rewrap(storage, vault)
        except FailureError as error:
            failures.append(error)
    if failures:
        raise failures[0]
    return rewrapped


async def _take_over(storage: Storage, vault: Vault) -> None:
    async with storage.writing() as unit:
        before = await instance.require_identity(unit)
        pepper = vault.rewrap_secret(before.sealed_pepper, *PEPPER_PLACE)
        await instance.write(unit, Identity(vault.master_key_id, vault.check_value(), pepper))


async def _rewrap_all(storage: Storage, vault: Vault) -> int:
    """Wraps the keys of all providers anew and returns their number.

    It repeats until nothing is left, because a command that began before the change may still have sealed with the old
    key.
    """
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
    """Wraps the signing key anew. Returns False if there is none, or if it is current."""
    old = await storage.reading().instance.get(instance.SEALED_SIGNING_KEY)
    if old is None or _is_current(vault, old):
        return False
    async with storage.writing() as unit:
        await unit.instance.set(instance.SEALED_SIGNING_KEY, vault.rewrap_secret(old, *SIGNING_KEY_PLACE))
    return True


async def _put(storage: Storage, before: Provider, key: ProviderKey, sealed: bytes) -> bool:
    """Stores the sealed key. Returns False if someone set another key in the meantime."""
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
