"""Checks whether the configuration file in the data directory is the one that is read."""

from __future__ import annotations

from collections.abc import AsyncIterator

from softix_proxy.doctor.check_context import CheckContext
from softix_proxy.doctor.findings import Observation, ok, warning


async def find(context: CheckContext) -> AsyncIterator[Observation]:
    paths = context.settings.paths
    if paths.unread_config is not None:
        yield warning(
            f"{paths.unread_config} is not read: softix reads {paths.config_place}",
            "move its settings there, or name it with --config or SOFTIX_CONFIG",
        )
    elif paths.config is None:
        yield ok(f"there is no configuration file; it would be read from {paths.config_place}")
    else:
        yield ok(f"settings come from {paths.config}")
