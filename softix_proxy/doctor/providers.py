"""Checks whether each provider answers and accepts its key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from softix_proxy.doctor.check_context import CheckContext
from softix_proxy.doctor.findings import Observation, error, ok, warning
from softix_proxy.domain.access.authorization import is_active
from softix_proxy.domain.catalog.providers import Provider
from softix_proxy.domain.core.errors import OperatorError
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.domain.ports.upstream import Fetch
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.operations.catalog import provider_probe, providers

_LIMIT_S = 15
_AT_ONCE = 16


async def find(context: CheckContext) -> AsyncIterator[Observation]:
    active = [provider for provider in await providers.list_all(context.storage) if is_active(provider)]
    if not active:
        yield warning("there is no active provider", "run: softix providers add openai --type openai --key-stdin")
    elif context.fetch is None:
        yield ok("not asked, because of --offline")
    else:
        vault, turns = await context.vault(), asyncio.Semaphore(_AT_ONCE)
        asked = (_ask(context.storage, vault, provider, context.fetch, turns) for provider in active)
        for found in await asyncio.gather(*asked):
            yield found


async def _ask(
    storage: Storage, vault: Vault, provider: Provider, fetch: Fetch, turns: asyncio.Semaphore
) -> Observation:
    name = provider.name
    if not provider.base_url:
        return ok(f"{name} runs inside the daemon")
    if not provider.profile.models_path:
        return ok(f"{name} was not asked: it has no list of models (softix providers test {name} asks a model)")
    async with turns:
        try:
            async with asyncio.timeout(_LIMIT_S):
                probe = await provider_probe.probe(storage, vault, name, fetch)
        except TimeoutError:
            return error(f"{name}: no answer within {_LIMIT_S} s", "check the base URL and the firewall")
        except OperatorError as failure:
            return error(f"{name}: {failure.message}", failure.remedy)
    if probe.ok:
        return ok(f"{name} answers, and takes its key" if provider.sealed_key else f"{name} answers")
    status = f" (status {probe.status})" if probe.status else ""
    passing = probe.status is not None and (probe.status in (403, 429) or probe.status >= 500)
    return (warning if passing else error)(f"{name}: {probe.message}{status}", probe.remedy)
