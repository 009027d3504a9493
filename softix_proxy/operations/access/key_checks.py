"""Checks the limits of keys and the patterns of models in them."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.domain.access.keys import KeyLimits
from softix_proxy.domain.access.rights import ANY_PROVIDER, has_glob, is_pattern
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.ports.storage import Unit


async def checked_models(unit: Unit, models: Sequence[str]) -> tuple[str, ...]:
    """Returns the patterns. Refuses one that names a provider that does not exist, because it would allow nothing."""
    for pattern in models:
        if not is_pattern(pattern):
            raise BadInputError(f"not a pattern of model names: {pattern!r}", "write for example 'gpt-*,claude-*'")
        head, slash, _ = pattern.partition("/")
        if slash and not has_glob(head) and not await _is_provider_or_folder(unit, head):
            remedy = f"for models of this name at any provider, write '{ANY_PROVIDER}{pattern}'"
            raise BadInputError(f"no provider is named {head!r}", remedy)
    return tuple(models)


async def _is_provider_or_folder(unit: Unit, name: str) -> bool:
    """Returns whether a provider has this name, or the names of routes begin with it and a slash."""
    if await unit.providers.find(name) is not None:
        return True
    return any(route.name.startswith(f"{name}/") for route in await unit.routes.list())


def checked_limits(limits: KeyLimits) -> KeyLimits:
    for name in ("rpm", "tpm", "concurrency"):
        value = getattr(limits, name)
        if value is not None and not 0 < value <= 10**9:
            raise BadInputError(f"{name} is a number from 1 to 1,000,000,000", "leave it out for no limit")
    for rate in limits.model_rates:
        if not all(value is None or 0 < value <= 10**9 for value in (rate.rpm, rate.tpm)):
            raise BadInputError("a limit a minute is a number from 1 to 1,000,000,000", "write none for no limit")
    if limits.cap_pico is not None and limits.cap_pico < 0:
        raise BadInputError("a cap is not negative", "0 lets nothing through; leave it out for no cap")
    return limits
