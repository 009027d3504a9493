"""Checks whether the master key is available and is this instance's, and whether it opens every secret."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import AsyncIterator

from softix_proxy.doctor.check_context import CheckContext
from softix_proxy.doctor.findings import Observation, error, ok, warning
from softix_proxy.domain.catalog.providers import MAIN
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.operations.catalog import providers


async def find(context: CheckContext) -> AsyncIterator[Observation]:
    vault = await context.vault()
    yield ok(f"the master key {vault.master_key_id} is this instance's")
    opened, outstanding = 0, False
    for provider in await providers.list_all(context.storage):
        sound = [key for key in provider.keys if _opens(vault, key.sealed, provider.place_of(key))]
        opened += bool(sound) and len(sound) == len(provider.keys)
        outstanding |= any(vault.sealed_by(key.sealed) != vault.master_key_id for key in sound)
        for key in provider.keys:
            if key not in sound:
                label = "" if key.label == MAIN else f" --label {key.label}"
                yield error(
                    f"the key {key.label} of the provider {provider.name} does not open",
                    f"give it again: softix providers set-key {provider.name}{label}",
                )
    if opened:
        yield ok(f"it opens the keys of {opened} provider{'s' if opened > 1 else ''}")
    if outstanding or await to_thread(context.keys.next_key_id) is not None:
        yield warning("a change of the master key is not at its end", "run: softix secrets rotate")


def _opens(vault: Vault, blob: bytes, place: tuple[str, ...]) -> bool:
    try:
        vault.open_secret(blob, *place)
    except FailureError:
        return False
    return True
