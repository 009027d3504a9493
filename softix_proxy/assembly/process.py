"""What a process that serves is set up with, before anything else is loaded."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from softix_proxy.settings import Settings

log = logging.getLogger("softix.daemon")

_GC_THRESHOLDS = (20_000, 20, 20)
"""A request creates hundreds of objects and no cycles. Python's default would collect after every two requests."""


def prepare_process(settings: Settings) -> None:
    """Prepares this process for serving.

    It logs without content, warns about a configuration file that is not read, forbids core dumps (they would contain
    requests), raises the limit of open files as far as allowed, and makes garbage collections rare.
    """
    from softix_proxy.domain.instance import open_files
    from softix_proxy.telemetry import dumps, logs
    from softix_proxy.upstream import tls_defaults

    tls_defaults.import_aiohttp()
    open_files.raise_limit()
    logs.set_up(settings.log.level, settings.log.format, settings.log.file)
    if (unread := settings.paths.unread_config) is not None:
        log.warning("%s is not read: softix reads %s", unread, settings.paths.config_place)
    dumps.forbid()
    gc.set_threshold(*_GC_THRESHOLDS)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Returns uvloop's loop factory if it is installed, and None for Python's own."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
