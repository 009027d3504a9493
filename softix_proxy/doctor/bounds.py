"""Finds models whose requests cost more than was held for them."""

from __future__ import annotations

from collections.abc import AsyncIterator

from softix_proxy.doctor.check_context import CheckContext
from softix_proxy.doctor.findings import Observation, error, ok, warning
from softix_proxy.domain.core.money import format_usd
from softix_proxy.operations.metering import bounds
from softix_proxy.operations.metering.bounds import NamedBound

_SHOWN = 10


async def find(context: CheckContext) -> AsyncIterator[Observation]:
    found = await bounds.list_all(context.storage, only_wider=True)
    for named in found[:_SHOWN]:
        bound = named.bound
        lost = bound.uncharged_pico
        yield (error if lost else warning)(
            f"{named.full_name} cost more than was held{_with(named)}: requests: {bound.times}, "
            f"missing: ${format_usd(bound.missing_pico)}, not charged: ${format_usd(lost)}; more is held now",
            f"check its price, --context and --max-output (softix models show {named.full_name}), "
            f"then run: softix bounds reset {named.full_name}",
        )
    if len(found) > _SHOWN:
        yield warning(f"{len(found) - _SHOWN} more bounds were exceeded", "see: softix bounds list")
    if not found:
        yield ok("no request cost more than was held for it")


def _with(named: NamedBound) -> str:
    return f" for requests with {named.bound.member}" if named.bound.member else ""
